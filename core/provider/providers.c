#include "provider/provider.h"

static const struct provider *const adapters[] = { &provider_openai };

const struct provider *provider_by_name(struct fg_str name)
{
    for (size_t i = 0; i < FG_LEN(adapters); i++)
        if (fg_eq(name, fg_str_c(adapters[i]->name)))
            return adapters[i];
    return NULL;
}

bool submit_unanswered(const struct fetch_reply *r, struct submit_reply *out)
{
    enum submit_outcome outcome = SUBMIT_UNKNOWN; /* whatever is not proven may cost money */
    switch (r->end) {
    case FETCH_ANSWERED:
        return false;
    case FETCH_NOT_SENT:
    case FETCH_REFUSED:
        outcome = SUBMIT_NOT_SENT;
        break;
    case FETCH_UNKNOWN:
    case FETCH_TOO_LARGE:
    case FETCH_LOCAL_IO:
        break;
    }
    *out = (struct submit_reply){ .outcome = outcome, .reason = REASON_FAILED, .words = r->words };
    return true;
}
