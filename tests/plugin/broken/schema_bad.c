/* SPDX-License-Identifier: Apache-2.0
 * Its args are JSON and no schema: there is no type "text". */
#include "broken.h"

BROKEN_SOUND_CALL

BROKEN("schema_bad", .args = "{\"properties\":{\"a\":{\"type\":\"text\"}}}")
