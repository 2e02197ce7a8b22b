#!/bin/sh
# In the name of ffprobe or ffmpeg: what that said of a file when it was asked with REMEMBER=1 is kept beside this script and
# said again. Any other question goes to the program itself. Starting it is most of what a performance would cost.
real=/usr/bin/${0##*/} in='' last='' words=''
for word; do
    if [ "$last" = -i ]; then in=$word; else words="$words $word"; fi
    last=$word
done
# ffmpeg's last word is the file that it writes.
out=''
if [ "$last" != "$in" ]; then out=$last words=${words% "$last"}; fi
sum=$(printf '%s\n' "$words" | cat - "$in" | cksum) || exit
key=${0%/*}/answer-${sum%% *}
if [ "${REMEMBER:-}" ]; then
    umask 022
    "$real" "$@" >"$key" && if [ "$out" ]; then cp "$out" "$key"; fi
elif [ ! -e "$key" ]; then
    exec "$real" "$@"
elif [ "$out" ]; then
    cat "$key" >"$out"
else
    cat "$key"
fi
