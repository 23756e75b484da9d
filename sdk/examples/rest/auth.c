/* SPDX-License-Identifier: MIT-0
 * Signing in: a key, or a name and its password. */
#include "rest.h"

/* The first whose needs have values; none of them asks a server, so the form is what the header says. */
static const tl_auth_flow flows[] = {
    {.name = "basic", .needs = "user", .form = "Basic {user:password}"},
    {.name = "bearer", .needs = "token,auth_scheme", .form = "{auth_scheme} {token}"},
    {.name = "header", .needs = "token", .form = "{token}"},
};
/* clang-format off */
const tl_auth rest_auth = {
    .struct_size = sizeof(rest_auth), .n_flows = TLK_LEN(flows), .flow_stride = sizeof(flows[0]), .flows = flows,
    .header = "{auth_header}", .access_member = "token"};
/* clang-format on */
