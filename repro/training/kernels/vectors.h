/* Vectors of floats, one for each image of a strip, and sums over the images of a block.
 *
 * A block holds LANES images whatever the processor; a vector holds WIDTH of them, a strip: 16 with
 * AVX-512, 8 with AVX2, 4 on ARM. Strips are numbered through all blocks, STRIPS to a block.
 * The order of every sum is fixed, and is the same in every build: the same input gives the same
 * bits on every processor. Code that is to fit all of them
 *   - walks over the WIDTH floats of a vector, or over the strips of a block, never over 16;
 *   - writes multiply_add(a, b, c) for a * b + c: a compiler may fuse the product with the sum or
 *     not, and of a * b + c * d either one;
 *   - sums over a block's images by total_of_strips, over those of one vector by total.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <math.h>

#define LANES 16 /* images of a block */
#if defined __AVX512F__
#include <immintrin.h>
#define WIDTH 16
#elif defined __AVX2__ && defined __FMA__
#include <immintrin.h>
#define WIDTH 8
#elif defined __aarch64__
#include <arm_neon.h>
#define WIDTH 4
#else
#error "neither AVX-512, AVX2 with FMA nor 64-bit ARM"
#endif
#define STRIPS (LANES / WIDTH)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

typedef float vec __attribute__((vector_size(4 * WIDTH)));
typedef int32_t ivec __attribute__((vector_size(4 * WIDTH)));

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

/* a b + c, rounded once */
INLINE vec multiply_add(vec a, vec b, vec c) {
#if WIDTH == 16
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif WIDTH == 8
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#endif
}

/* Sum over the lanes of a vector: those half a vector apart first, neighbours last. */
INLINE float total(vec v) {
#if WIDTH == 16
    v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    v += __builtin_shufflevector(v, v, 2, 3, 2, 3, 2, 3, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15);
#elif WIDTH == 8
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7);
    v += __builtin_shufflevector(v, v, 2, 3, 2, 3, 2, 3, 2, 3);
#else
    v += __builtin_shufflevector(v, v, 2, 3, 2, 3);
#endif
    return v[0] + v[1];
}

/* Sum over the images of a block, in the order of `total` of sixteen lanes; `strip` is used up. */
INLINE float total_of_strips(vec strip[STRIPS]) {
    UNROLL for (int half = STRIPS / 2; half; half /= 2)
        UNROLL for (int s = 0; s < half; s++) strip[s] += strip[s + half];
    return total(strip[0]);
}

/* Where a strip begins in a map that has so many floats a block. */
INLINE size_t strip_at(size_t strip, size_t block) {
    return strip / STRIPS * block + strip % STRIPS * WIDTH;
}

/* Strips that hold at least one of the images. */
INLINE long strips_of(long images) { return (images + WIDTH - 1) / WIDTH; }

/* Ones for the images of a strip, zeros for the lanes beyond the last image. */
INLINE vec lanes_of(long strip, long images) {
    vec mask;
    if ((strip + 1) * WIDTH <= images) return splat(1);
    for (int i = 0; i < WIDTH; i++) mask[i] = strip * WIDTH + i < images;
    return mask;
}
