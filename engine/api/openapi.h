/* SPDX-License-Identifier: Apache-2.0
 * docs/openapi.json, as the build put it in: see meson.build. */
#ifndef CG_API_OPENAPI_H
#define CG_API_OPENAPI_H

#include <stddef.h>

extern const unsigned char cg_openapi_json[];
extern const size_t cg_openapi_json_size;

#endif
