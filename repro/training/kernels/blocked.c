/* A DB-VAE's convolutions on blocks of sixteen images, with what stands around them.
 *
 * Layout ("blocked"): float [N/16][H][W][C][16], the sixteen images of a block innermost. Every
 * operation runs over full vectors whatever the number of channels, taps that fall into the padding
 * are skipped rather than multiplied by zero, and what one output pixel sums over (x, channel) is
 * one contiguous run per kernel row. Lanes beyond the last image stay out of every sum.
 *
 * A convolution here has kernel 5, stride 2, padding 2 (and output padding 1 where transposed). It
 * joins a fine map of 2h x 2w pixels and F channels to a coarse map of h x w pixels and C channels;
 * its weights are torch's, [C][F][5][5], for Conv2d (F in, C out) and ConvTranspose2d (C in, F out).
 *   coarsen:          the convolution; the backward of the transposed one
 *   refine:           the transposed convolution; the backward of the other
 *   weight_gradient:  of both
 * C is a multiple of 12, F is 3 or a multiple of 12, h x w is at least 4 x 4, w divides 64.
 *
 * One thread, and the order of every sum is fixed: the same input gives the same bits.
 */
#include "vectors.h"

#define KERNEL 5

INLINE long least(long a, long b) { return a < b ? a : b; }

/* Functions for TILE channels and S strips at a time, whose sums all stay in registers. Where there
 * are two strips, that is fewer channels with 16 registers than with 32.
 */
#define NAMED(name, VALUE, TILE, S) name##_##VALUE##_##TILE##_##S
#define OF(name, VALUE, TILE, S) NAMED(name, VALUE, TILE, S)
#if WIDTH == 8
#define BESIDE 6
#else
#define BESIDE 12
#endif

/* acc[c][s] += sum over the run of w[j][c] * x[strip s][j]; w has PACK channels side by side. */
#define DEFINE_ACCUMULATE(PACK, TILE, S)                                                           \
    INLINE void OF(accumulate, float, TILE, S)(vec acc[TILE][S], const float *x, size_t block,     \
                                               const float *w, long run) {                         \
        for (long j = 0; j < run; j++) {                                                           \
            vec lane[S];                                                                           \
            UNROLL for (int s = 0; s < S; s++)                                                     \
                lane[s] = load(x + strip_at(s, block) + j * LANES);                                \
            UNROLL for (int c = 0; c < TILE; c++) {                                                \
                vec weight = splat(w[j * PACK + c]);                                               \
                UNROLL for (int s = 0; s < S; s++)                                                 \
                    acc[c][s] = multiply_add(weight, lane[s], acc[c][s]);                          \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_ACCUMULATE(12, BESIDE, 2)
DEFINE_ACCUMULATE(12, 12, 1)
DEFINE_ACCUMULATE(3, 3, 4)
DEFINE_ACCUMULATE(3, 3, 1)

#ifdef __AVX512BF16__
/* The same for a run of pairs of bfloat16: x[strip s][j / 2][lane][2], w[j / 2][c][2]. */
#define DEFINE_ACCUMULATE_PAIRS(TILE, S)                                                           \
    INLINE void OF(accumulate, uint16_t, TILE, S)(vec acc[TILE][S], const uint16_t *x,             \
                                                  size_t block, const uint16_t *w, long run) {     \
        for (long j = 0; j < run; j += 2) {                                                        \
            __m512bh lane[S];                                                                      \
            UNROLL for (int s = 0; s < S; s++)                                                     \
                lane[s] = (__m512bh)_mm512_load_si512(x + s * block + j * LANES);                  \
            UNROLL for (int c = 0; c < TILE; c++) {                                                \
                int32_t pair;                                                                      \
                memcpy(&pair, w + j * TILE + 2 * c, sizeof pair);                                  \
                const __m512bh weight = (__m512bh)_mm512_set1_epi32(pair);                         \
                UNROLL for (int s = 0; s < S; s++)                                                 \
                    acc[c][s] = (vec)_mm512_dpbf16_ps((__m512)acc[c][s], lane[s], weight);         \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_ACCUMULATE_PAIRS(12, 2)
DEFINE_ACCUMULATE_PAIRS(12, 1)
DEFINE_ACCUMULATE_PAIRS(3, 4)
DEFINE_ACCUMULATE_PAIRS(3, 1)
#endif

#define CHANNELS 96 /* at most, of any map */

/* What happens to an output channel before it is written; each part is left out if NULL.
 *   bias:          v = sum + bias
 *   relu:          negative v becomes 0
 *   scale, shift:  v = v * scale + shift (batch normalisation in evaluation mode)
 *   sum, product:  of the written values, added up per channel over images and pixels;
 *                  with `other`, a map of the same shape: of v and of v * (other - centre);
 *                  without: of u and of u * u, where u = v - centre
 */
typedef struct {
    const float *bias, *scale, *shift, *other, *centre;
    double *sum, *product;
    long relu, images;
} finish;

INLINE void finish_channel(vec v, const finish *f, long channel, float *output) {
    if (f->bias) v += f->bias[channel];
    if (f->relu) v = positive(v);
    if (f->scale) v = multiply_add(v, splat(f->scale[channel]), splat(f->shift[channel]));
    store(output, v);
}

#define TOGETHER 6 /* channels whose sums stay in registers; divides every observed map's */

/* Add up `pixels` finished pixels of a block, which the cache still holds. */
static void observe(const float *values, const float *other, long pixels, long channels, long block,
                    const finish *f) {
    for (long first = 0; first < channels; first += TOGETHER) {
        vec sums[TOGETHER][STRIPS] = {{{0}}}, products[TOGETHER][STRIPS] = {{{0}}};
        for (long s = 0; s < STRIPS && block * STRIPS + s < strips_of(f->images); s++) {
            vec sum[TOGETHER] = {{0}}, product[TOGETHER] = {{0}}, centre[TOGETHER];
            const vec mask = lanes_of(block * STRIPS + s, f->images);
            UNROLL for (int c = 0; c < TOGETHER; c++) centre[c] = splat(f->centre[first + c]);
            for (long p = 0; p < pixels; p++) {
                const size_t at = (p * channels + first) * LANES + s * WIDTH;
                UNROLL for (int c = 0; c < TOGETHER; c++) {
                    vec v = load(values + at + c * LANES);
                    if (!other) v -= centre[c];
                    sum[c] += v;
                    product[c] = multiply_add(
                        v, other ? load(other + at + c * LANES) - centre[c] : v, product[c]);
                }
            }
            UNROLL for (int c = 0; c < TOGETHER; c++) {
                sums[c][s] = sum[c] * mask;
                products[c][s] = product[c] * mask;
            }
        }
        for (long c = 0; c < TOGETHER; c++) {
            f->sum[first + c] += total_of_strips(sums[c]);
            f->product[first + c] += total_of_strips(products[c]);
        }
    }
}

/* Zeros in the strips of a map that hold no image and are not computed. */
static void clear(float *map, long strips, long blocks, long vectors) {
    for (long s = strips; s < blocks * STRIPS; s++)
        for (long p = 0; p < vectors; p++)
            store(map + strip_at(s, (size_t)vectors * LANES) + p * LANES, (vec){0});
}

/* One row of coarse pixels; both maps from the first of the strips on. */
#define DEFINE_COARSEN_ROW(VALUE, TILE, S)                                                         \
    static void OF(coarsen_row, VALUE, TILE, S)(const VALUE *fine, const VALUE *packed,            \
                                                float *coarse, long oy, long h, long w, long F,    \
                                                long C, const finish *f) {                         \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        for (long channel = 0; channel < C; channel += TILE)                                       \
            for (long ox = 0; ox < w; ox++) {                                                      \
                vec acc[TILE][S];                                                                  \
                UNROLL for (int c = 0; c < TILE; c++)                                              \
                    UNROLL for (int s = 0; s < S; s++) acc[c][s] = (vec){0};                       \
                const VALUE *weights = packed + channel / 12 * KERNEL * KERNEL * F * 12 + channel % 12; \
                const long left = ox ? 0 : 2, right = ox < w - 1 ? 5 : 4;                          \
                for (long ky = oy ? 0 : 2; ky < (oy < h - 1 ? 5 : 4); ky++) {                      \
                    const long iy = 2 * oy + ky - 2, ix = 2 * ox + left - 2;                       \
                    OF(accumulate, VALUE, TILE, S)(                                                \
                        acc, fine + (iy * 2 * w + ix) * F * LANES, fine_block,                     \
                        weights + (ky * KERNEL + left) * F * 12, (right - left) * F);              \
                }                                                                                  \
                UNROLL for (int s = 0; s < S; s++)                                                 \
                    UNROLL for (int c = 0; c < TILE; c++)                                          \
                        finish_channel(acc[c][s], f, channel + c,                                  \
                                       coarse + strip_at(s, coarse_block) +                        \
                                           ((oy * w + ox) * C + channel + c) * LANES);             \
            }                                                                                      \
    }

/* One or two blocks, of which so many strips hold an image; both maps from the first block on. */
#define DEFINE_COARSEN(VALUE)                                                                      \
    static void coarsen_##VALUE(const VALUE *fine, const VALUE *packed, float *coarse, long first, \
                                long count, long h, long w, long F, long C, const finish *f) {     \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        const long strips = least(count * STRIPS, strips_of(f->images) - first * STRIPS);          \
        fine += first * fine_block;                                                                \
        coarse += first * coarse_block;                                                            \
        for (long oy = 0; oy < h; oy++) {                                                          \
            long s = 0;                                                                            \
            for (; s + 2 <= strips; s += 2)                                                        \
                OF(coarsen_row, VALUE, BESIDE, 2)(fine + strip_at(s, fine_block), packed,          \
                                                  coarse + strip_at(s, coarse_block), oy, h, w, F, \
                                                  C, f);                                           \
            for (; s < strips; s++)                                                                \
                OF(coarsen_row, VALUE, 12, 1)(fine + strip_at(s, fine_block), packed,              \
                                              coarse + strip_at(s, coarse_block), oy, h, w, F, C, f); \
            for (long b = 0; f->sum && b < count; b++) {                                           \
                const size_t at = b * coarse_block + oy * w * C * LANES;                           \
                observe(coarse + at, f->other ? f->other + first * coarse_block + at : NULL, w, C, \
                        first + b, f);                                                             \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_COARSEN_ROW(float, BESIDE, 2)
DEFINE_COARSEN_ROW(float, 12, 1)
DEFINE_COARSEN(float)
#ifdef __AVX512BF16__
DEFINE_COARSEN_ROW(uint16_t, 12, 2)
DEFINE_COARSEN_ROW(uint16_t, 12, 1)
DEFINE_COARSEN(uint16_t)
#endif

/* weights [C][F][5][5] -> packed [C/12][5][5][F][12] */
static void pack_coarsen(const float *weights, float *packed, long F, long C) {
    for (long c = 0; c < C; c++)
        for (long f = 0; f < F; f++)
            for (long k = 0; k < KERNEL * KERNEL; k++)
                packed[((c / 12 * KERNEL * KERNEL + k) * F + f) * 12 + c % 12] =
                    weights[(c * F + f) * KERNEL * KERNEL + k];
}

/* coarse = fine * weights; packed: room for as many floats as there are weights */
void coarsen(const float *fine, const float *weights, float *packed, float *coarse, long blocks,
             long h, long w, long F, long C, const finish *f) {
    pack_coarsen(weights, packed, F, C);
    for (long first = 0; first < blocks; first += 2)
        coarsen_float(fine, packed, coarse, first, least(2, blocks - first), h, w, F, C, f);
    clear(coarse, strips_of(f->images), blocks, h * w * C);
}

/* Of a fine pixel's coordinate: the coarse coordinate of its first tap, and its number of taps. */
INLINE long first_tap(long i) { return (i + 1) / 2 - 1; }
INLINE long taps(long i) { return i % 2 ? 2 : 3; }

/* One row of fine pixels; both maps from the first of the strips on. */
#define DEFINE_REFINE_ROW(VALUE, PACK, TILE, S)                                                    \
    static void OF(refine_row, VALUE, TILE, S)(const VALUE *coarse, const VALUE *packed,           \
                                               float *fine, long iy, long h, long w, long F,       \
                                               long C, const finish *f) {                          \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        for (long channel = 0; channel < F; channel += TILE)                                       \
            for (long ix = 0; ix < 2 * w; ix++) {                                                  \
                vec acc[TILE][S];                                                                  \
                UNROLL for (int c = 0; c < TILE; c++)                                              \
                    UNROLL for (int s = 0; s < S; s++) acc[c][s] = (vec){0};                       \
                const long oy = first_tap(iy), ox = first_tap(ix);                                 \
                const long left = ox < 0, end = ox + taps(ix) > w ? w - ox : taps(ix);             \
                const VALUE *weights = packed + channel % PACK +                                   \
                    (channel / PACK * 4 + iy % 2 * 2 + ix % 2) * 9 * C * PACK;                     \
                for (long t = 0; t < taps(iy); t++) {                                              \
                    if (oy + t < 0 || oy + t >= h) continue;                                       \
                    OF(accumulate, VALUE, TILE, S)(                                                \
                        acc, coarse + ((oy + t) * w + ox + left) * C * LANES, coarse_block,        \
                        weights + (t * 3 + left) * C * PACK, (end - left) * C);                    \
                }                                                                                  \
                UNROLL for (int s = 0; s < S; s++)                                                 \
                    UNROLL for (int c = 0; c < TILE; c++)                                          \
                        finish_channel(acc[c][s], f, channel + c,                                  \
                                       fine + strip_at(s, fine_block) +                            \
                                           ((iy * 2 * w + ix) * F + channel + c) * LANES);         \
            }                                                                                      \
    }

/* One or two blocks, or four where F is 3, as in `coarsen`. */
#define DEFINE_REFINE(VALUE)                                                                       \
    static void refine_##VALUE(const VALUE *coarse, const VALUE *packed, float *fine, long first,  \
                               long count, long h, long w, long F, long C, const finish *f) {      \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        const long strips = least(count * STRIPS, strips_of(f->images) - first * STRIPS);          \
        fine += first * fine_block;                                                                \
        coarse += first * coarse_block;                                                            \
        for (long iy = 0; iy < 2 * h; iy++) {                                                      \
            long s = 0;                                                                            \
            for (; F == 3 && s + 4 <= strips; s += 4)                                              \
                OF(refine_row, VALUE, 3, 4)(coarse + strip_at(s, coarse_block), packed,            \
                                            fine + strip_at(s, fine_block), iy, h, w, F, C, f);    \
            for (; F == 3 && s < strips; s++)                                                      \
                OF(refine_row, VALUE, 3, 1)(coarse + strip_at(s, coarse_block), packed,            \
                                            fine + strip_at(s, fine_block), iy, h, w, F, C, f);    \
            for (; s + 2 <= strips; s += 2)                                                        \
                OF(refine_row, VALUE, BESIDE, 2)(coarse + strip_at(s, coarse_block), packed,       \
                                                 fine + strip_at(s, fine_block), iy, h, w, F, C, f); \
            for (; s < strips; s++)                                                                \
                OF(refine_row, VALUE, 12, 1)(coarse + strip_at(s, coarse_block), packed,           \
                                             fine + strip_at(s, fine_block), iy, h, w, F, C, f);   \
            for (long b = 0; f->sum && b < count; b++) {                                           \
                const size_t at = b * fine_block + iy * 2 * w * F * LANES;                         \
                observe(fine + at, f->other ? f->other + first * fine_block + at : NULL, 2 * w, F, \
                        first + b, f);                                                             \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_REFINE_ROW(float, 12, BESIDE, 2)
DEFINE_REFINE_ROW(float, 12, 12, 1)
DEFINE_REFINE_ROW(float, 3, 3, 4)
DEFINE_REFINE_ROW(float, 3, 3, 1)
DEFINE_REFINE(float)
#ifdef __AVX512BF16__
DEFINE_REFINE_ROW(uint16_t, 12, 12, 2)
DEFINE_REFINE_ROW(uint16_t, 12, 12, 1)
DEFINE_REFINE_ROW(uint16_t, 3, 3, 4)
DEFINE_REFINE_ROW(uint16_t, 3, 3, 1)
DEFINE_REFINE(uint16_t)
#endif

/* weights [C][F][5][5] -> packed [F/T][2][2][3][3][C][T], taps by parity of the fine pixel: tap t of
 * parity p, counted upwards in the coarse map, is row 4 - 2t - p of the kernel */
static void pack_refine(const float *weights, float *packed, long F, long C, long T) {
    for (long f = 0; f < F; f++)
        for (long p = 0; p < 4; p++)
            for (long t = 0; t < 3 - p / 2; t++)
                for (long u = 0; u < 3 - p % 2; u++)
                    for (long c = 0; c < C; c++)
                        packed[(((f / T * 4 + p) * 9 + t * 3 + u) * C + c) * T + f % T] =
                            weights[((c * F + f) * KERNEL + 4 - 2 * t - p / 2) * KERNEL + 4 -
                                    2 * u - p % 2];
}

/* fine = transposed convolution of coarse; packed: room for 36 F C floats */
void refine(const float *coarse, const float *weights, float *packed, float *fine, long blocks,
            long h, long w, long F, long C, const finish *f) {
    const long together = F == 3 ? 4 : 2;
    pack_refine(weights, packed, F, C, F == 3 ? 3 : 12);
    for (long first = 0; first < blocks; first += together)
        refine_float(coarse, packed, fine, first, least(together, blocks - first), h, w, F, C, f);
    clear(fine, strips_of(f->images), blocks, 4 * h * w * F);
}

/* Whether this was compiled for a processor that multiplies pairs of bfloat16. */
long has_pairs(void) {
#ifdef __AVX512BF16__
    return 1;
#else
    return 0;
#endif
}

#ifdef __AVX512BF16__
/* float [pixels][C][16] -> bfloat16 [pixels][C/2][16][2], C even */
void to_pairs(const float *blocked, uint16_t *pairs, long pixels, long C) {
    const __m512i interleave = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
        23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (long p = 0; p < pixels * C * LANES; p += 2 * LANES) {
        const __m512 first = _mm512_load_ps(blocked + p), second = _mm512_load_ps(blocked + p + LANES);
        const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
        _mm512_store_si512(pairs + p, _mm512_permutexvar_epi16(interleave, both));
    }
}

/* packed weights, float [runs][run][T] -> bfloat16 [runs][run / 2][T][2], run even */
static void pair_weights(const float *packed, uint16_t *pairs, long count, long T) {
    for (long j = 0; j < count / T; j++)
        for (long c = 0; c < T; c++) {
            uint32_t bits;
            memcpy(&bits, packed + j * T + c, sizeof bits);
            bits += 0x7fff + (bits >> 16 & 1); /* to nearest, ties to even */
            pairs[(j / 2 * T + c) * 2 + j % 2] = (uint16_t)(bits >> 16);
        }
}

/* As `coarsen`, from pairs; F even. packed and pairs: room for as many as there are weights. */
void coarsen_pairs(const uint16_t *fine, const float *weights, float *packed, uint16_t *pairs,
                   float *coarse, long blocks, long h, long w, long F, long C, const finish *f) {
    pack_coarsen(weights, packed, F, C);
    pair_weights(packed, pairs, KERNEL * KERNEL * F * C, 12);
    for (long first = 0; first < blocks; first += 2)
        coarsen_uint16_t(fine, pairs, coarse, first, least(2, blocks - first), h, w, F, C, f);
}

/* As `refine`, from pairs. packed and pairs: room for 36 F C. */
void refine_pairs(const uint16_t *coarse, const float *weights, float *packed, uint16_t *pairs,
                  float *fine, long blocks, long h, long w, long F, long C, const finish *f) {
    const long together = F == 3 ? 4 : 2;
    memset(packed, 0, sizeof(float) * 36 * F * C);
    pack_refine(weights, packed, F, C, F == 3 ? 3 : 12);
    pair_weights(packed, pairs, 36 * F * C, F == 3 ? 3 : 12);
    for (long first = 0; first < blocks; first += together)
        refine_uint16_t(coarse, pairs, fine, first, least(together, blocks - first), h, w, F, C, f);
}
#endif

/* Of a run of coarse rows of a strip: one parity of the fine pixels beside them, TF channels, side by
 * side. Fine pixel (2 y + py, 2 x + px) stands at [y - top + 1][x + 1]; what lies outside is left out.
 */
INLINE void gather_phase(const float *fine, float *to, long tile, long py, long px, long top,
                         long bottom, long h, long w, long F) {
    for (long y = top > 0 ? top - 1 : 0; y < (bottom < h ? bottom + 1 : h); y++)
        for (long x = 0; x < w; x++)
            for (long a = 0; a < tile; a++)
                store(to + (((y - top + 1) * (w + 2) + x + 1) * tile + a) * WIDTH,
                      load(fine + (((2 * y + py) * 2 * w + 2 * x + px) * F + a) * LANES));
}

#define PIXELS 64 /* coarse pixels at a time: their two maps fit the first-level cache */
#if WIDTH == 8
#define SLOPES 3 /* coarse channels at a time: the sums, by four fine ones, stay in registers */
#else
#define SLOPES 6
#endif

/* gradient[f][c] += sum over strips and pixels of one tap, both maps as gathered: of the `strips`
 * first of them, of which each STRIPS make a block. */
#define DEFINE_WEIGHT_TILE(TILE)                                                                   \
    INLINE void weight_tile_##TILE(const float *fine, const float *coarse, double *gradient,       \
                                   long strips, long rows, long w, long y0, long y1, long x0,      \
                                   long x1, long ty, long tx, long C) {                            \
        vec sums[TILE][SLOPES][STRIPS];                                                            \
        UNROLL for (int first = 0; first < STRIPS; first++) {                                      \
            vec acc[TILE][SLOPES];                                                                 \
            UNROLL for (int a = 0; a < TILE; a++)                                                  \
                UNROLL for (int c = 0; c < SLOPES; c++) acc[a][c] = (vec){0};                      \
            for (long s = first; s < strips; s += STRIPS)                                          \
                for (long y = y0; y < y1; y++) {                                                   \
                    const float *x = fine + ((s * (rows + 2) + y + ty) * (w + 2) + x0 + tx) *      \
                                                TILE * WIDTH;                                      \
                    const float *g = coarse + ((s * rows + y) * w + x0) * SLOPES * WIDTH;          \
                    for (long ox = x0; ox < x1; ox++, x += TILE * WIDTH, g += SLOPES * WIDTH) {    \
                        vec value[TILE];                                                           \
                        UNROLL for (int a = 0; a < TILE; a++) value[a] = load(x + a * WIDTH);      \
                        UNROLL for (int c = 0; c < SLOPES; c++) {                                  \
                            vec slope = load(g + c * WIDTH);                                       \
                            UNROLL for (int a = 0; a < TILE; a++)                                  \
                                acc[a][c] = multiply_add(value[a], slope, acc[a][c]);              \
                        }                                                                          \
                    }                                                                              \
                }                                                                                  \
            UNROLL for (int a = 0; a < TILE; a++)                                                  \
                UNROLL for (int c = 0; c < SLOPES; c++) sums[a][c][first] = acc[a][c];             \
        }                                                                                          \
        UNROLL for (int a = 0; a < TILE; a++)                                                      \
            UNROLL for (int c = 0; c < SLOPES; c++)                                                \
                gradient[a * C + c] += total_of_strips(sums[a][c]);                                \
    }
DEFINE_WEIGHT_TILE(4)
DEFINE_WEIGHT_TILE(3)

/* sums: room for 25 F C doubles; gradient as the weights, [C][F][5][5] */
void weight_gradient(const float *fine, const float *coarse, double *sums, float *gradient,
                     long images, long h, long w, long F, long C) {
    static __thread float values[(PIXELS + 1) * 8 * 4 * LANES] __attribute__((aligned(64)));
    static __thread float slopes[PIXELS * 96 * LANES] __attribute__((aligned(64)));
    const long rows = h * w <= PIXELS ? h : PIXELS / w, tile = F == 3 ? 3 : 4;
    const long together = PIXELS / (rows * w) * STRIPS;
    const size_t fine_block = (size_t)4 * h * w * F * LANES;
    const size_t coarse_block = (size_t)h * w * C * LANES;
    memset(sums, 0, sizeof(double) * KERNEL * KERNEL * F * C);
    for (long first = 0; first < strips_of(images); first += together) {
        const long count = least(together, strips_of(images) - first);
        for (long top = 0; top < h; top += rows) {
            const long bottom = least(top + rows, h);
            for (long s = 0; s < count; s++)
                for (long p = top * w; p < bottom * w; p++)
                    for (long c = 0; c < C; c += SLOPES)
                        UNROLL for (long k = 0; k < SLOPES; k++)
                            store(slopes + (((c / SLOPES * together + s) * rows * w + p - top * w) *
                                                SLOPES + k) * WIDTH,
                                  load(coarse + strip_at(first + s, coarse_block) +
                                       (p * C + c + k) * LANES));
            for (long a = 0; a < F; a += tile)
                for (long py = 0; py < 2; py++)
                    for (long px = 0; px < 2; px++) {
                        for (long s = 0; s < count; s++) {
                            const float *from = fine + strip_at(first + s, fine_block) + a * LANES;
                            float *to = values + s * (rows + 2) * (w + 2) * tile * WIDTH;
                            if (tile == 3)
                                gather_phase(from, to, 3, py, px, top, bottom, h, w, F);
                            else
                                gather_phase(from, to, 4, py, px, top, bottom, h, w, F);
                        }
                        for (long c = 0; c < C; c += SLOPES)
                            for (long ty = 0; ty < 3 - py; ty++)
                                for (long tx = 0; tx < 3 - px; tx++) {
                                    const long y0 = top + ty > 0 ? 0 : 1, x0 = tx > 0 ? 0 : 1;
                                    const long y1 = bottom + ty > h + 1 ? bottom - top - 1 : bottom - top;
                                    const long x1 = tx > 1 ? w - 1 : w;
                                    double *g = sums +
                                                (((2 * ty + py) * KERNEL + 2 * tx + px) * F + a) * C + c;
                                    const float *s = slopes + c * together * rows * w * WIDTH;
                                    if (tile == 3)
                                        weight_tile_3(values, s, g, count, rows, w, y0, y1, x0, x1, ty, tx, C);
                                    else
                                        weight_tile_4(values, s, g, count, rows, w, y0, y1, x0, x1, ty, tx, C);
                                }
                    }
        }
    }
    for (long k = 0; k < KERNEL * KERNEL; k++)
        for (long a = 0; a < F; a++)
            for (long c = 0; c < C; c++)
                gradient[(c * F + a) * KERNEL * KERNEL + k] = (float)sums[(k * F + a) * C + c];
}

/* pixels of chosen images, uint8 [M][pixels] -> float [blocks][pixels][16] in [0, 1] */
void gather(const uint8_t *images, const int64_t *index, float *blocked, long count, long pixels) {
    const long step = 64; /* pixels at a time, so that what is written stays in the cache */
    for (long block = 0; block * LANES < count; block++)
        for (long start = 0; start < pixels; start += step)
            for (long lane = 0; lane < LANES; lane++) {
                const long at = block * LANES + lane;
                const uint8_t *image = images + (at < count ? index[at] : 0) * pixels;
                float *to = blocked + block * pixels * LANES + lane;
                for (long p = start; p < start + step && p < pixels; p++)
                    to[p * LANES] = at < count ? image[p] / 255.0f : 0;
            }
}

/* float [blocks][pixels][C][16] <-> float [N][C][pixels]; lanes beyond the last image become 0 */
void to_rows(const float *blocked, float *rows, long count, long pixels, long C) {
    for (long n = 0; n < count; n++)
        for (long c = 0; c < C; c++)
            for (long p = 0; p < pixels; p++)
                rows[(n * C + c) * pixels + p] =
                    blocked[((n / LANES * pixels + p) * C + c) * LANES + n % LANES];
}

void to_blocks(const float *rows, float *blocked, long count, long pixels, long C) {
    for (long n = 0; n < (count + LANES - 1) / LANES * LANES; n++)
        for (long c = 0; c < C; c++)
            for (long p = 0; p < pixels; p++)
                blocked[((n / LANES * pixels + p) * C + c) * LANES + n % LANES] =
                    n < count ? rows[(n * C + c) * pixels + p] : 0;
}

/* sum and product of a whole map, as in `finish` with `other` */
void moments(const float *values, long blocks, long pixels, long C, const finish *f) {
    for (long block = 0; block < blocks; block++) {
        const size_t at = (size_t)block * pixels * C * LANES;
        observe(values + at, f->other + at, pixels, C, block, f);
    }
}

/* Batch normalisation with the statistics of a batch.
 *   sum, product:   of the input less `mean`, as `finish` counts them
 *   mean, deviation: running mean and variance, updated here (momentum; variance unbiased)
 *   centre, inverse: the batch's mean and 1 / standard deviation, for the way back
 */
typedef struct {
    const float *gamma, *beta;
    float *mean, *variance, *centre, *inverse;
    double *sum, *product;
    double count, momentum, epsilon;
} normalisation;

void normalise(const float *input, float *output, long blocks, long pixels, long C,
               const normalisation *n) {
    float scale[CHANNELS], shift[CHANNELS];
    for (long c = 0; c < C; c++) {
        const double offset = n->sum[c] / n->count, mean = n->mean[c] + offset;
        const double variance = fmax(fma(-offset, offset, n->product[c] / n->count), 0);
        n->centre[c] = (float)mean;
        n->inverse[c] = (float)(1 / sqrt(variance + n->epsilon));
        n->mean[c] += (float)(n->momentum * offset);
        n->variance[c] += (float)(n->momentum * (variance * n->count / (n->count - 1) - n->variance[c]));
        scale[c] = n->gamma[c] * n->inverse[c];
        shift[c] = fmaf(-n->centre[c], scale[c], n->beta[c]);
    }
    for (long p = 0; p < blocks * pixels; p++)
        for (long c = 0; c < C; c++) {
            const size_t at = (p * C + c) * LANES;
            UNROLL for (long s = at; s < at + LANES; s += WIDTH)
                store(output + s, multiply_add(load(input + s), splat(scale[c]), splat(shift[c])));
        }
}

/* The way back through normalisation and the ReLU before it, in place.
 *   gradient: with respect to the normalised values; becomes that before the ReLU
 *   input:    of the normalisation, which is the ReLU's output
 *   n->sum, n->product: of the gradient and of gradient * (input - centre)
 *   gamma, beta, bias: gradients of the parameters; the bias is the one before the ReLU
 */
void normalise_backward(float *gradient, const float *input, float *gamma, float *beta,
                        float *bias, long images, long blocks, long pixels, long C,
                        const normalisation *n) {
    float slope[CHANNELS], linear[CHANNELS], constant[CHANNELS];
    double biases[CHANNELS] = {0};
    for (long c = 0; c < C; c++) {
        const double inverse = n->inverse[c], product = n->product[c];
        slope[c] = (float)(n->gamma[c] * inverse);
        linear[c] = (float)(-n->gamma[c] * inverse * inverse * inverse * product / n->count);
        constant[c] = (float)(-n->gamma[c] * inverse * n->sum[c] / n->count);
        gamma[c] = (float)(inverse * product);
        beta[c] = (float)n->sum[c];
    }
    for (long block = 0; block < blocks; block++) {
        vec sum[CHANNELS][STRIPS], mask[STRIPS];
        memset(sum, 0, sizeof sum[0] * C);
        for (long s = 0; s < STRIPS; s++) mask[s] = lanes_of(block * STRIPS + s, images);
        for (long p = 0; p < pixels; p++)
            for (long c = 0; c < C; c++)
                UNROLL for (long s = 0; s < STRIPS; s++) {
                    const size_t at = ((block * pixels + p) * C + c) * LANES + s * WIDTH;
                    const vec value = load(input + at);
                    const vec linearly = splat(linear[c]) * (value - n->centre[c]);
                    vec v = multiply_add(splat(slope[c]), load(gradient + at), linearly) + constant[c];
                    v = (vec)((ivec)(v * mask[s]) & ~(value <= (vec){0}));
                    store(gradient + at, v);
                    sum[c][s] += v;
                }
        for (long c = 0; c < C; c++) biases[c] += total_of_strips(sum[c]);
    }
    for (long c = 0; c < C; c++) bias[c] = (float)biases[c];
}

/* e^v by a polynomial on [-ln 2 / 2, ln 2 / 2], within 2 units in the last place (Cephes) */
INLINE vec exponential(vec v) {
    const vec magic = splat(12582912.0f); /* 1.5 x 2^23: adding it rounds to an integer */
    const vec n = multiply_add(v, splat(1.44269504088896341f), magic) - magic;
    const vec r = multiply_add(n, splat(2.12194440e-4f), multiply_add(-n, splat(0.693359375f), v));
    vec p = splat(1.9875691500e-4f);
    p = multiply_add(p, r, splat(1.3981999507e-3f));
    p = multiply_add(p, r, splat(8.3334519073e-3f));
    p = multiply_add(p, r, splat(4.1665795894e-2f));
    p = multiply_add(p, r, splat(1.6666665459e-1f));
    p = multiply_add(p, r, splat(5.0000001201e-1f));
    p = multiply_add(p * r, r, r) + 1.0f;
    return (vec)((ivec)p + (__builtin_convertvector(n, ivec) << 23));
}

INLINE vec sigmoid(vec v) {
    vec u = choose(v < splat(-87.0f), splat(-87.0f), v);
    u = choose(u > splat(87.0f), splat(87.0f), u);
    return choose(v == v, 1.0f / (1.0f + exponential(-u)), v); /* what is no number stays so */
}

/* decoded = sigmoid(decoded), in place; error[n] = sum over pixels of |image - decoded|^norm */
void reconstruct(float *decoded, const float *images, float *error, long blocks, long pixels,
                 long norm) {
    for (long strip = 0; strip < blocks * STRIPS; strip++) {
        const size_t of_strip = strip_at(strip, (size_t)pixels * LANES);
        vec error_of_strip = {0};
        for (long start = 0; start < pixels; start += 192) {
            vec sum = {0};
            for (long p = start; p < start + 192 && p < pixels; p++) {
                const size_t at = of_strip + p * LANES;
                const vec value = sigmoid(load(decoded + at)), d = load(images + at) - value;
                store(decoded + at, value);
                sum = norm == 2 ? multiply_add(d, d, sum) : sum + magnitude(d);
            }
            error_of_strip += sum;
        }
        store(error + strip * WIDTH, error_of_strip);
    }
}

/* The way back: decoded becomes the gradient before the sigmoid, bias[3] its sums per channel.
 * slope: of the objective by each image's error; 0 in lanes beyond the last image
 */
void reconstruct_backward(float *decoded, const float *images, const float *slope, float *bias,
                          long blocks, long pixels, long norm) {
    double biases[3] = {0};
    for (long block = 0; block < blocks; block++) {
        vec sum[3][STRIPS];
        memset(sum, 0, sizeof sum);
        for (long p = 0; p < pixels; p += 3)
            UNROLL for (long c = 0; c < 3; c++)
                UNROLL for (long s = 0; s < STRIPS; s++) {
                    const size_t at = (block * pixels + p + c) * LANES + s * WIDTH;
                    const vec value = load(decoded + at), d = value - load(images + at);
                    const vec outer = norm == 2 ? d + d : sign(d);
                    const vec v = load(slope + block * LANES + s * WIDTH) * outer * value * (1.0f - value);
                    store(decoded + at, v);
                    sum[c][s] += v;
                }
        for (long c = 0; c < 3; c++) biases[c] += total_of_strips(sum[c]);
    }
    for (long c = 0; c < 3; c++) bias[c] = (float)biases[c];
}
