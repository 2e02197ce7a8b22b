/* A stand-in for the server's socket that passes everything on until it is told to lose an answer: so that a
 * commit of unknown outcome happens when the test wants it, not when the scheduler does. One connection at a time. */
#ifndef FG_TESTS_DB_PROXY_H
#define FG_TESTS_DB_PROXY_H

#include <sys/types.h>

enum db_proxy_trick {
    PROXY_PASS,
    PROXY_LOSE_COMMIT,         /* hangs up instead of passing COMMIT on */
    PROXY_LOSE_COMMIT_ANSWER,  /* the server commits, its answer is lost */
    PROXY_LOSE_EXECUTE,        /* the same two for the next prepared statement */
    PROXY_LOSE_EXECUTE_ANSWER,
    PROXY_HUNG_UP,             /* set by the proxy: the server has closed, and the client can see it */
};

struct db_proxy {
    pid_t pid;
    volatile int *trick; /* shared with the proxy, which sets it back to PROXY_PASS once it has played it */
    volatile int *skip;  /* so many of its kind pass before the trick is played */
    char path[96];
};

void db_proxy_start(struct db_proxy *p, const char *dir, const char *server_socket);
void db_proxy_stop(struct db_proxy *p);

#endif
