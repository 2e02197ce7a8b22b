/* Functions that have cost others dearly become compile errors (-include in the Makefile). */
#ifndef FG_BASE_BANNED_H
#define FG_BASE_BANNED_H

/* Not poisoned: OpenSSL's headers have parameters of this name. Only a call is an error. (clang wants
 * the attribute on the first declaration.) */
int rand(void) __attribute__((error("use env->random")));

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol atof
#pragma GCC poison gmtime localtime ctime asctime srand srandom system popen tmpnam mktemp

#endif
