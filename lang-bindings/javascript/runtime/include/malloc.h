/* What QuickJS wants of <malloc.h>; wasi-libc has the function, the headers vendored by rquickjs-sys lack the file. */
#ifndef LAMBKIN_MALLOC_H
#define LAMBKIN_MALLOC_H
#include <stddef.h>
size_t malloc_usable_size(void *);
#endif
