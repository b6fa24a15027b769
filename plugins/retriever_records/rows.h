/* SPDX-License-Identifier: Apache-2.0
 * A row of records.find, records.score and records.show as what was found.
 */
#ifndef RETRIEVER_RECORDS_ROWS_H
#define RETRIEVER_RECORDS_ROWS_H

#include <cogent/retriever.h>

static inline struct cogent_found records_row(struct cogent_row row)
{
    struct cogent_found found = { .size = sizeof found };
    found.type = row.values[0].str;
    found.id = row.values[1].str;
    found.title = row.values[2].str;
    found.columns = row.values[3].str;
    found.stamp = row.values[4].str;
    found.as_of = row.values[5].num;
    found.chunk = (unsigned)row.values[6].num;
    found.text = row.values[7].str;
    found.score = row.values[8].real;
    return found;
}

#endif
