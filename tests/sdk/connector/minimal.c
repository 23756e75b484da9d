/* The smallest connector that links; one function of the kit and one global function of its own show that neither
 * leaks out of the module. */
#include <kit/kit.h>
#include <tieline.h>

int helper_that_must_stay_inside(void);
int helper_that_must_stay_inside(void)
{
    return 1;
}

static tl_status open_one(const tl_host *host, const tl_open *request, tl_conn **out, tl_error *e)
{
    (void)host;
    (void)request;
    (void)out;
    (void)e;
    return helper_that_must_stay_inside() ? TL_E_UNSUPPORTED : TL_OK;
}

static const tl_connector connector = {
    .magic = TL_MAGIC,
    .struct_size = sizeof connector,
    .abi_major = TL_ABI_MAJOR,
    .abi_minor = TL_ABI_MINOR,
    .id = "minimal",
    .name = "Minimal",
    .version = "1",
    .open = open_one,
};

const tl_connector *tieline_connector_v0(void)
{
    return &connector;
}
