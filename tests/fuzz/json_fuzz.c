/* Whatever js_scan takes, json-c and jansson must take too, and what we write again must be the same
 * value. What jansson takes and js_scan refuses may only have passed one of our own limits.
 *
 * From the top of the tree:
 *   clang-14 -std=c17 -D_DEFAULT_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
 *       -fno-sanitize-recover=all -Icore tests/fuzz/json_fuzz.c core/io/json.c \
 *       core/base/{arena,err,sb,scan,str,time,utf8}.c -ljson-c -ljansson -lm -o build/json_fuzz
 *   build/json_fuzz -max_total_time=60 -max_len=512 */
#include <jansson.h>
#include <stdlib.h>

#include "base/arena.h"
#include "io/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool own_limit(const char *words)
{
    static const char *const ours[] = { "nested too deeply", "too many" };
    for (size_t i = 0; i < FG_LEN(ours); i++)
        if (strstr(words, ours[i]))
            return true;
    return false;
}

/* The same value, and jansson's view of ours is the view it had of the source. */
static void check_written_again(struct fg_ctx *cx, const struct js *v, const json_t *want,
                                size_t flags)
{
    struct sb b = sb_in(cx->mem, FG_MIB);
    js_write(&b, v);
    if (b.bad || js_scan(cx, sb_str(&b)))
        abort();
    json_t *again = json_loadb(b.p, b.n, flags, NULL);
    if (!again || !json_equal(again, want))
        abort();
    json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    struct fg_ctx cx = { .mem = arena_new() };
    struct fg_str text = { (const char *)data, size };
    const struct js *v;
    const char *words = js_scan(&cx, text);
    json_t *oracle = json_loadb(text.p, text.n, flags, NULL);
    /* jansson drops a NUL that follows a number. */
    bool has_nul = size && memchr(data, 0, size);
    if (words && oracle && !own_limit(words) && !has_nul)
        abort();
    if (!words && !oracle)
        abort();
    if ((js_parse(&cx, text, &v) == FG_OK) != !words)
        abort();
    if (!words)
        check_written_again(&cx, v, oracle, flags);
    json_decref(oracle);
    arena_free(cx.mem);
    return 0;
}
