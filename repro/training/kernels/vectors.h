/* Vectors of sixteen floats, one for each image of a block, and sums over them.
 *
 * The order of every sum is fixed: the same input gives the same bits.
 */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <math.h>

#ifndef __AVX512F__
#error "written for vectors of 512 bits"
#endif

#define LANES 16
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

typedef float vec __attribute__((vector_size(64)));
typedef int32_t ivec __attribute__((vector_size(64)));

INLINE vec load(const float *p) { return *(const vec *)p; }
INLINE void store(float *p, vec v) { *(vec *)p = v; }
INLINE vec splat(float a) { return a - (vec){0}; }
INLINE vec choose(ivec which, vec yes, vec no) {
    return (vec)(((ivec)yes & which) | ((ivec)no & ~which));
}
/* 0 for what is at most 0; what is no number stays so, as in torch's ReLU */
INLINE vec positive(vec v) { return (vec)((ivec)v & ~(v <= (vec){0})); }
INLINE vec magnitude(vec v) { return (vec)((ivec)v & 0x7fffffff); }
INLINE vec sign(vec v) {
    return choose(v > (vec){0}, splat(1), choose(v < (vec){0}, splat(-1), (vec){0}));
}

#define FOLD(v, a, b, c, d, e, f, g, h)                                                            \
    v += __builtin_shufflevector(v, v, a, b, c, d, e, f, g, h, 8, 9, 10, 11, 12, 13, 14, 15)

/* Sum over the lanes, halves first. */
INLINE float total(vec v) {
    FOLD(v, 8, 9, 10, 11, 12, 13, 14, 15);
    FOLD(v, 4, 5, 6, 7, 4, 5, 6, 7);
    FOLD(v, 2, 3, 2, 3, 2, 3, 2, 3);
    return v[0] + v[1];
}

/* Ones for the images of a block, zeros for the lanes beyond the last image. */
INLINE vec lanes_of(long block, long images) {
    vec mask;
    if ((block + 1) * LANES <= images) return splat(1);
    for (int i = 0; i < LANES; i++) mask[i] = block * LANES + i < images;
    return mask;
}
