/* What a connector says of an action. */
#include "admit.h"

static const uint32_t FLAGS_KNOWN = (TL_ACTION_LOOKS << 1) - 1;

static int check_texts(const tl_action *a, struct err *e)
{
    int rc = admit_text("kind", a->kind, e);
    if (!rc)
        rc = admit_text("name", a->name, e);
    if (!rc)
        rc = admit_text("label", a->label, e);
    if (!rc)
        rc = admit_text("help", a->help, e);
    if (!rc && !admit_name_ok(a->kind))
        rc = err_set(e, TL_E_INVALID, "it names no kind");
    if (!rc && !admit_name_ok(a->name))
        rc = err_set(e, TL_E_INVALID, "the name of an action is 1 to %d small letters, digits and \"_\"",
                     ADMIT_NAME_MAX);
    return rc;
}

static int check_flags(const tl_action *a, bool newer, struct err *e)
{
    if (!newer && (a->flags & ~FLAGS_KNOWN))
        return err_set(e, TL_E_INVALID, "unknown flags %#x", a->flags & ~FLAGS_KNOWN);
    if ((a->flags & TL_ACTION_CREATES) && (a->flags & TL_ACTION_READS))
        return err_set(e, TL_E_INVALID, "TL_ACTION_CREATES and TL_ACTION_READS: what only reads makes no record");
    if (a->rights == 0)
        return err_set(e, TL_E_INVALID, "rights is 0: at least TL_RIGHT_VIEW is needed to see the record");
    return TL_OK;
}

int admit_action(const tl_action *a, uint32_t minor, struct err *e)
{
    bool newer = minor > TL_ABI_MINOR;
    int rc = check_texts(a, e);
    if (!rc)
        rc = check_flags(a, newer, e);
    if (!rc)
        rc = admit_fields(a->params, a->n_params, a->param_stride, FIELDS_OF_ACTION, newer, e);
    return rc ? err_wrap(e, "action \"%.*s\" of \"%.*s\"", STR_FMT(admit_shown(a->name)), STR_FMT(admit_shown(a->kind)))
              : TL_OK;
}
