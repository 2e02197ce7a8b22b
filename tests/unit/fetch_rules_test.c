/* The parts of io/fetch that need no connection: which URLs, addresses and origins, and how long to
 * wait. */
#include "t.h"

#include "io/fetch.h"
#include "io/fetch_parts.h"

#include "base/arena.h"

TEST(url_rules)
{
    static const struct {
        struct fg_str url;
        enum fg_code want;
    } row[] = {
#define GOOD(s) { { s, sizeof(s) - 1 }, FG_OK }
#define BAD(s) { { s, sizeof(s) - 1 }, FG_ADDRESS_REFUSED }
        GOOD("https://example.com/a?b=c#d"),
        GOOD("HTTPS://EXAMPLE.com:8443"),
        GOOD("https://8.8.8.8/"),
        GOOD("http://127.0.0.1:8080/x"),
        GOOD("https://example.com/@x%20y"),
        GOOD("https://[2606:4700::1]/"),
        BAD(""),
        BAD("https://"),
        BAD("https:///path"),
        BAD("example.com/"),
        BAD("//example.com/"),
        BAD("https:example.com"),
        BAD("ftp://example.com/"),
        BAD("file:///etc/passwd"),
        BAD("javascript:1"),
        BAD("http://example.com/"),
        BAD("http://127.0.0.1:8081/"),
        BAD("https://127.0.0.1:8080/"),
        BAD("https://user@example.com/"),
        BAD("https://user:pass@example.com/"),
        BAD("https://@example.com/"),
        BAD("http://127.0.0.1:8080@evil.com/"),
        BAD("https://example.com\\@evil.com/"),
        BAD("https://example.com/a b"),
        BAD("https://example.com/\r\nX: y"),
        BAD("https://example.com/\0x"),
        BAD("https://example.com/\x7f"),
        BAD(" https://example.com/"),
        BAD("https://ex%61mple.com/"),
        BAD("https://example.com:0/"),
        BAD("https://example.com:99999/"),
        BAD("https://example.com:x/"),
        BAD("https://[::1/"),
        BAD("https://127.0.0.1/"),
        BAD("https://2130706433/"),
        BAD("https://0x7f.1/"),
        BAD("https://0177.0.0.1/"),
        BAD("https://0/"),
        BAD("https://[::ffff:127.0.0.1]/"),
        BAD("https://[::1]/"),
        BAD("https://[fe80::1]/"),
        BAD("https://169.254.169.254/"),
#undef GOOD
#undef BAD
    };
    struct t_world w;
    t_begin(&w);
    struct conf conf = { .fetch_local_origins = FG_LIT("http://127.0.0.1:8080") };
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(fetch_check_url(&w.cx, &conf, row[i].url, false), row[i].want, row[i].url.p);
    struct fg_str plain = FG_LIT("http://example.com/a.png");
    CHECK_CODE(&w.cx, fetch_check_url(&w.cx, &conf, plain, true), FG_OK);
    CHECK_CODE(&w.cx, fetch_check_url(&w.cx, &conf, FG_LIT("http://10.0.0.1/a.png"), true), FG_ADDRESS_REFUSED);
    char *longest = arena_get(w.cx.mem, FETCH_URL_MAX + 2);
    memset(longest, 'a', FETCH_URL_MAX + 1);
    memcpy(longest, "https://a.com/", 14);
    CHECK_CODE(&w.cx, fetch_check_url(&w.cx, &conf, (struct fg_str){ longest, FETCH_URL_MAX }, false),
               FG_OK);
    CHECK_CODE(&w.cx, fetch_check_url(&w.cx, &conf, (struct fg_str){ longest, FETCH_URL_MAX + 1 }, false),
               FG_ADDRESS_REFUSED);
    t_end(&w, 0);
}

TEST(addresses_that_are_public)
{
    static const struct {
        const char *text;
        bool want;
    } row[] = {
        { "8.8.8.8", true },
        { "1.1.1.1", true },
        { "172.15.255.255", true },
        { "172.32.0.0", true },
        { "100.63.255.255", true },
        { "100.128.0.0", true },
        { "223.255.255.255", true },
        { "198.17.255.255", true },
        { "198.20.0.0", true },
        { "0.0.0.0", false },
        { "0.1.2.3", false },
        { "10.1.2.3", false },
        { "100.64.0.1", false },
        { "127.255.255.255", false },
        { "169.254.169.254", false },
        { "172.16.0.1", false },
        { "172.31.255.255", false },
        { "192.0.0.8", false },
        { "192.0.2.1", false },
        { "192.88.99.1", false },
        { "192.168.1.1", false },
        { "198.19.0.1", false },
        { "198.51.100.1", false },
        { "203.0.113.1", false },
        { "224.0.0.1", false },
        { "239.255.255.255", false },
        { "240.0.0.1", false },
        { "255.255.255.255", false },
        { "2606:4700:4700::1111", true },
        { "2a00:1450:4001::1", true },
        { "2001:4860:4860::8888", true },
        { "::ffff:8.8.8.8", true },
        { "::", false },
        { "::1", false },
        { "::127.0.0.1", false },
        { "::ffff:127.0.0.1", false },
        { "::ffff:10.0.0.1", false },
        { "64:ff9b::8.8.8.8", false },
        { "64:ff9b:1::1", false },
        { "100::1", false },
        { "2001::1", false },
        { "2001:db8::1", false },
        { "2002:7f00:1::", false },
        { "3fff::1", false },
        { "fc00::1", false },
        { "fd12::1", false },
        { "fe80::1", false },
        { "fec0::1", false },
        { "ff02::1", false },
        { "4000::1", false },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct sockaddr_storage a;
        CHECK(address_parse(row[i].text, &a), row[i].text);
        CHECK_I64(fetch_address_public(&a), row[i].want, row[i].text);
    }
    struct sockaddr_storage other = { .ss_family = AF_UNIX };
    CHECK(!fetch_address_public(&other), "no other family is");
}

TEST(local_origins_are_checked_at_start)
{
    static const struct {
        const char *origins;
        enum fg_code want;
    } row[] = {
        { "", FG_OK },
        { "http://127.0.0.1:8080", FG_OK },
        { " http://a  https://[::1]:8443 ", FG_OK },
        { "127.0.0.1:8080", FG_CONFIG },
        { "http://127.0.0.1:8080/", FG_CONFIG },
        { "http://a http://b?c", FG_CONFIG },
        { "http://u@a", FG_CONFIG },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        struct fetcher *f = NULL;
        t_begin(&w);
        struct conf conf = { .fetch_local_origins = fg_str_c(row[i].origins) };
        CHECK_I64(fetcher_open(&w.cx, &f, &conf), row[i].want, row[i].origins);
        fetcher_close(f);
        t_end(&w, 0);
    }
}

TEST(retry_after_forms)
{
    static const struct {
        const char *name, *value;
        int64_t want;
    } row[] = {
        { "retry-after", "120", 120 },
        { "retry-after", "0", 0 },
        { "retry-after", "1.5", 2 },
        { "retry-after", "-5", 0 },
        { "retry-after", "soon", 0 },
        { "retry-after", "", 0 },
        { "retry-after", "5 s", 0 },
        { "retry-after-ms", "1500", 2 },
        { "retry-after-ms", "1000", 1 },
        { "retry-after-ms", "1", 1 },
        { "retry-after-ms", "1000.5", 2 },
        { "retry-after-ms", "x", 0 },
        { "retry-after", "Tue, 01 Jan 2030 00:01:30 GMT", 90 },
        { "retry-after", "Mon, 31 Dec 2029 23:59:00 GMT", 0 },
        { "retry-after", "99999999999999999999999", 7 * 86400 },
        { "retry-after", "Tue, 01 Jan 2040 00:00:00 GMT", 7 * 86400 },
        { "x-other", "5", 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = { .header_n = 1,
                                 .header = { { fg_str_c(row[i].name), fg_str_c(row[i].value) } } };
        CHECK_I64(fetch_retry_after_s(&w.cx, &r), row[i].want, row[i].value);
    }
    t_advance(&w, 500 * FG_US_PER_MS);
    struct fetch_reply r = { .header_n = 1,
                             .header = { { FG_LIT("retry-after"),
                                           FG_LIT("Tue, 01 Jan 2030 00:00:02 GMT") } } };
    CHECK_I64(fetch_retry_after_s(&w.cx, &r), 2, "rounded up");
    t_end(&w, 0);
}
