/* SPDX-License-Identifier: Apache-2.0
 * Its args are no JSON. */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("schema_no_json", .args = "{")
