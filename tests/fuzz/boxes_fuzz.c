/* What a stranger calls an MP4: our look at it ends, and reads nothing that is not there.
 *
 * From the top of the tree:
 *   clang-14 -std=c17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Icore \
 *       tests/fuzz/boxes_fuzz.c core/media/boxes.c core/base/{arena,err,sb,scan,str,time,utf8}.c -lm -o build/boxes_fuzz
 *   build/boxes_fuzz -max_total_time=60 -max_len=4096 FOLDER-WITH-AN-MP4 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "media/gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

bool gate_about(int64_t ms, int64_t want_s)
{
    return ms == want_s * 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct fg_ctx cx = { .mem = arena_new() };
    if (fd < 0 && (fd = memfd_create("boxes", MFD_CLOEXEC)) < 0)
        abort();
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    enum fg_code rc = gate_look(&cx, fd, 5);
    if (rc != FG_OK && rc != FG_INVALID_REQUEST)
        abort();
    arena_free(cx.mem);
    return 0;
}
