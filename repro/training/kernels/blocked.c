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

/* Functions of one FORM and one kind of VALUE.
 *
 * FORM is what lies in a vector of a map: `whole`, the images of a strip in one channel; `half`,
 * those of half a strip in a pair of channels (half_blocks.h). VALUE is float, or uint16_t for
 * bfloat16, of which two channels lie side by side in a lane, and two products are added at once.
 * TILE vectors of channels by S strips, pixels or rows are summed at a time, in registers: where S
 * is two, fewer channels with 16 registers than with 32.
 */
#define NAMED(name, FORM, VALUE, TILE, S) name##_##FORM##_##VALUE##_##TILE##_##S
#define OF(name, FORM, VALUE, TILE, S) NAMED(name, FORM, VALUE, TILE, S)
#if WIDTH == 8
#define REGISTERS 16
#define BESIDE 6
#else
#define REGISTERS 32
#define BESIDE 12
#endif
#define FIT(TILE, S) (TILE * S + S + 1 <= REGISTERS) /* the sums, a value of each and a weight */

/* Loaded once: a compiler may rather load a factor again for each of its products. */
INLINE vec once(vec v) {
#if WIDTH == 4
    __asm__("" : "+w"(v));
#else
    __asm__("" : "+v"(v));
#endif
    return v;
}

INLINE vec value_whole(const void *at) {
    vec value;
    memcpy(&value, at, sizeof value);
    return value;
}
INLINE vec weight_whole(const void *at, int n) {
    int32_t bits;
    memcpy(&bits, (const char *)at + n * sizeof bits, sizeof bits);
    return (vec)(bits - (ivec){0});
}
#define STEP_float 1
INLINE vec add_float(vec value, vec weight, vec sum) { return multiply_add(value, weight, sum); }
#ifdef __AVX512BF16__
#define STEP_uint16_t 2
INLINE vec add_uint16_t(vec value, vec weight, vec sum) {
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)value, (__m512bh)weight);
}
#endif

/* acc[n][s] += sum over the run of w[j][n] * x[j], x from at[s] on, for s from `first` to
 * `last` - 1; w has PACK channels side by side. */
#define DEFINE_ACCUMULATE(FORM, VALUE, PACK, TILE, S)                                              \
    INLINE void OF(accumulate, FORM, VALUE, TILE, S)(vec acc[TILE][S], const VALUE *x,             \
                                                     const size_t at[S], const VALUE *w, long run, \
                                                     const int first, const int last) {            \
        for (long j = 0; j < run; j += STEP_##VALUE) {                                             \
            vec value[S];                                                                          \
            UNROLL for (int s = first; s < last; s++) {                                            \
                value[s] = value_##FORM(x + at[s] + j * LANES);                                    \
                if (FIT(TILE, S)) value[s] = once(value[s]);                                       \
            }                                                                                      \
            UNROLL for (int n = 0; n < TILE; n++) {                                                \
                const vec weight = weight_##FORM(w + j * PACK, n);                                 \
                UNROLL for (int s = first; s < last; s++)                                          \
                    acc[n][s] = add_##VALUE(value[s], weight, acc[n][s]);                          \
            }                                                                                      \
        }                                                                                          \
    }

#define CHANNELS 96 /* at most, of any map */
#define CHANNELS_whole 1 /* of a vector */

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

INLINE vec finished(vec v, const finish *f, long channel) {
    if (f->bias) v += f->bias[channel];
    if (f->relu) v = positive(v);
    if (f->scale) v = multiply_add(v, splat(f->scale[channel]), splat(f->shift[channel]));
    return v;
}
INLINE void finish_whole(vec v, const finish *f, long channel, float *output) {
    store(output, finished(v, f, channel));
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

/* Of a fine pixel's coordinate: the coarse coordinate of its first tap, and its number of taps. */
INLINE long first_tap(long i) { return (i + 1) / 2 - 1; }
INLINE long taps(long i) { return i % 2 ? 2 : 3; }

#if WIDTH == 16
#include "half_blocks.h"
#define ONE_STRIP(name, VALUE, half) (half ? name##_half_##VALUE : name##_whole_##VALUE)
#else
#define half_blocks(images) 0
#define ONE_STRIP(name, VALUE, half) name##_whole_##VALUE
#endif

/* Two sums that share their weights, of taps that have `depth` channels each: those before `left`
 * belong to the second sum alone, those up to `right` to both, those up to `end` to the first alone.
 */
#define DEFINE_ACCUMULATE_TWO(FORM, VALUE, TILE)                                                   \
    DEFINE_ACCUMULATE(FORM, VALUE, 12, TILE, 2)                                                    \
    INLINE void OF(accumulate_taps, FORM, VALUE, TILE, 2)(                                         \
        vec acc[TILE][2], const VALUE *x, const size_t at[2], const VALUE *w, long left,           \
        long right, long end, long depth) {                                                        \
        OF(accumulate, FORM, VALUE, TILE, 2)(acc, x, at, w, left * depth, 1, 2);                   \
        OF(accumulate, FORM, VALUE, TILE, 2)(acc, x + left * depth * LANES, at,                    \
                                             w + left * depth * 12, (right - left) * depth, 0, 2); \
        OF(accumulate, FORM, VALUE, TILE, 2)(acc, x + right * depth * LANES, at,                   \
                                             w + right * depth * 12, (end - right) * depth, 0, 1); \
    }
DEFINE_ACCUMULATE_TWO(whole, float, BESIDE)

/* One row of coarse pixels, both maps from the first strip on: of two strips a pixel at a time, or of
 * one strip two pixels at a time. */
#define DEFINE_COARSEN_ROW(NAME, FORM, VALUE, TILE, PIXELS)                                        \
    static void coarsen_##NAME##_##VALUE(const VALUE *fine, const VALUE *packed, float *coarse,    \
                                         long oy, long h, long w, long F, long C,                  \
                                         const finish *f) {                                        \
        const size_t from[2] = {0, PIXELS == 2 ? 2 * F * LANES                                     \
                                               : strip_at(1, (size_t)4 * h * w * F * LANES)};      \
        const size_t to[2] = {0, PIXELS == 2 ? C * LANES : strip_at(1, (size_t)h * w * C * LANES)};\
        for (long channel = 0; channel < C; channel += TILE * CHANNELS_##FORM)                     \
            for (long ox = 0; ox < w; ox += PIXELS) {                                              \
                vec acc[TILE][2];                                                                  \
                UNROLL for (int n = 0; n < TILE; n++) acc[n][0] = acc[n][1] = (vec){0};            \
                const VALUE *weights =                                                             \
                    packed + channel / 12 * KERNEL * KERNEL * F * 12 + channel % 12;               \
                const long last = ox + PIXELS - 1, begin = last ? 0 : 2;                           \
                const long end = ox < w - 1 ? 5 : 4;                                               \
                const long left = PIXELS == 1 || ox ? begin : 2;                                   \
                const long right = PIXELS == 1 || last < w - 1 ? end : 4;                          \
                for (long ky = oy ? 0 : 2; ky < (oy < h - 1 ? 5 : 4); ky++) {                      \
                    const long iy = 2 * oy + ky - 2, ix = 2 * ox + begin - 2;                      \
                    OF(accumulate_taps, FORM, VALUE, TILE, 2)(                                     \
                        acc, fine + (iy * 2 * w + ix) * F * LANES, from,                           \
                        weights + (ky * KERNEL + begin) * F * 12, left - begin, right - begin,     \
                        end - begin, F);                                                           \
                }                                                                                  \
                UNROLL for (int s = 0; s < 2; s++)                                                 \
                    UNROLL for (int n = 0; n < TILE; n++)                                          \
                        finish_##FORM(acc[n][s], f, channel + n * CHANNELS_##FORM,                 \
                                      coarse + to[s] + ((oy * w + ox) * C + channel +              \
                                                        n * CHANNELS_##FORM) * LANES);             \
            }                                                                                      \
    }
DEFINE_COARSEN_ROW(strips, whole, float, BESIDE, 1)
DEFINE_COARSEN_ROW(whole, whole, float, BESIDE, 2)

/* One or two blocks, of which so many strips hold an image; both maps from the first block on. */
#define DEFINE_COARSEN(VALUE)                                                                      \
    static void coarsen_##VALUE(const VALUE *fine, const VALUE *packed, float *coarse, long first, \
                                long count, long h, long w, long F, long C, const finish *f) {     \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        const long left = strips_of(f->images) - first * STRIPS;                                   \
        const long strips = least(count * STRIPS, left);                                           \
        const long whole = least(strips, left - half_blocks(f->images));                           \
        fine += first * fine_block;                                                                \
        coarse += first * coarse_block;                                                            \
        for (long oy = 0; oy < h; oy++) {                                                          \
            long s = 0;                                                                            \
            for (; s + 2 <= whole; s += 2)                                                         \
                coarsen_strips_##VALUE(fine + strip_at(s, fine_block), packed,                     \
                                       coarse + strip_at(s, coarse_block), oy, h, w, F, C, f);     \
            for (; s < strips; s++)                                                                \
                ONE_STRIP(coarsen, VALUE, s >= whole)(fine + strip_at(s, fine_block), packed,      \
                                                      coarse + strip_at(s, coarse_block), oy, h, w,\
                                                      F, C, f);                                    \
            for (long b = 0; f->sum && b < count; b++) {                                           \
                const size_t at = b * coarse_block + oy * w * C * LANES;                           \
                observe(coarse + at, f->other ? f->other + first * coarse_block + at : NULL, w, C, \
                        first + b, f);                                                             \
            }                                                                                      \
        }                                                                                          \
    }
#if WIDTH == 16
DEFINE_ACCUMULATE_TWO(half, float, 6)
DEFINE_COARSEN_ROW(half, half, float, 6, 2)
#endif
DEFINE_COARSEN(float)
#ifdef __AVX512BF16__
DEFINE_ACCUMULATE_TWO(whole, uint16_t, 12)
DEFINE_ACCUMULATE_TWO(half, uint16_t, 6)
DEFINE_COARSEN_ROW(strips, whole, uint16_t, 12, 1)
DEFINE_COARSEN_ROW(whole, whole, uint16_t, 12, 2)
DEFINE_COARSEN_ROW(half, half, uint16_t, 6, 2)
DEFINE_COARSEN(uint16_t)
#endif

/* weights [C][F][5][5] -> packed [C/12][5][5][F][12] */
static void pack_coarsen(const float *weights, float *packed, long F, long C) {
    for (long tile = 0; tile < C; tile += 12)
        for (long f = 0; f < F; f++)
            for (long k = 0; k < KERNEL * KERNEL; k++)
                UNROLL for (long c = 0; c < 12; c++)
                    packed[((tile / 12 * KERNEL * KERNEL + k) * F + f) * 12 + c] =
                        weights[((tile + c) * F + f) * KERNEL * KERNEL + k];
}

/* coarse = fine * weights; packed: room for as many floats as there are weights */
void coarsen(const float *fine, const float *weights, float *packed, float *coarse, long blocks,
             long h, long w, long F, long C, const finish *f) {
    pack_coarsen(weights, packed, F, C);
    for (long first = 0; first < blocks; first += 2)
        coarsen_float(fine, packed, coarse, first, least(2, blocks - first), h, w, F, C, f);
    clear(coarse, strips_of(f->images), blocks, h * w * C);
}

/* One row of fine pixels, as of coarse ones; the two pixels have another one between them. */
#define DEFINE_REFINE_ROW(NAME, FORM, VALUE, TILE, PIXELS)                                         \
    static void refine_##NAME##_##VALUE(const VALUE *coarse, const VALUE *packed, float *fine,     \
                                        long iy, long h, long w, long F, long C,                   \
                                        const finish *f) {                                         \
        const size_t from[2] = {0, PIXELS == 2 ? C * LANES                                         \
                                               : strip_at(1, (size_t)h * w * C * LANES)};          \
        const size_t to[2] = {0, PIXELS == 2 ? 2 * F * LANES                                       \
                                             : strip_at(1, (size_t)4 * h * w * F * LANES)};        \
        const long oy = first_tap(iy);                                                             \
        for (long channel = 0; channel < F; channel += TILE * CHANNELS_##FORM)                     \
            for (long ix = 0; ix < 2 * w; ix += PIXELS == 2 && ix % 2 ? 3 : 1) {                   \
                vec acc[TILE][2];                                                                  \
                UNROLL for (int n = 0; n < TILE; n++) acc[n][0] = acc[n][1] = (vec){0};            \
                const long ox = first_tap(ix), last = ox + PIXELS - 1, begin = last < 0;           \
                const long end = least(taps(ix), w - ox);                                          \
                const long left = PIXELS == 1 ? begin : ox < 0;                                    \
                const long right = PIXELS == 1 ? end : least(taps(ix), w - last);                  \
                const VALUE *weights = packed + channel % 12 +                                     \
                                       (channel / 12 * 4 + iy % 2 * 2 + ix % 2) * 9 * C * 12;      \
                for (long t = 0; t < taps(iy); t++) {                                              \
                    if (oy + t < 0 || oy + t >= h) continue;                                       \
                    OF(accumulate_taps, FORM, VALUE, TILE, 2)(                                     \
                        acc, coarse + ((oy + t) * w + ox + begin) * C * LANES, from,               \
                        weights + (t * 3 + begin) * C * 12, left - begin, right - begin,           \
                        end - begin, C);                                                           \
                }                                                                                  \
                UNROLL for (int s = 0; s < 2; s++)                                                 \
                    UNROLL for (int n = 0; n < TILE; n++)                                          \
                        finish_##FORM(acc[n][s], f, channel + n * CHANNELS_##FORM,                 \
                                      fine + to[s] + ((iy * 2 * w + ix) * F + channel +            \
                                                      n * CHANNELS_##FORM) * LANES);               \
            }                                                                                      \
    }

/* A strip's fine map of three channels: so few sums would wait for each other's products, so ROWS
 * rows, each with another one between, are computed at once. */
#define ROWS 4
#define DEFINE_REFINE_THREE(VALUE)                                                                 \
    DEFINE_ACCUMULATE(whole, VALUE, 3, 3, ROWS)                                                    \
    static void refine_three_whole_##VALUE(const VALUE *coarse, const VALUE *packed, float *fine,  \
                                           long h, long w, long C, const finish *f) {              \
        const size_t row = w * C * LANES, from[ROWS] = {0, row, 2 * row, 3 * row};                 \
        for (long iy = 0; iy < 2 * h; iy += iy % 2 ? 2 * ROWS - 1 : 1)                             \
            for (long ix = 0; ix < 2 * w; ix++) {                                                  \
                vec acc[3][ROWS];                                                                  \
                UNROLL for (int c = 0; c < 3; c++)                                                 \
                    UNROLL for (int r = 0; r < ROWS; r++) acc[c][r] = (vec){0};                    \
                const long ox = first_tap(ix), left = ox < 0, end = least(taps(ix), w - ox);       \
                for (long t = 0; t < taps(iy); t++) {                                              \
                    const long oy = first_tap(iy) + t, run = (end - left) * C;                     \
                    const VALUE *x = coarse + (oy * w + ox + left) * C * LANES;                    \
                    const VALUE *weights =                                                         \
                        packed + ((iy % 2 * 2 + ix % 2) * 9 + t * 3 + left) * C * 3;               \
                    if (oy < 0)                                                                    \
                        OF(accumulate, whole, VALUE, 3, ROWS)(acc, x, from, weights, run, 1, ROWS);\
                    else if (oy + ROWS <= h)                                                       \
                        OF(accumulate, whole, VALUE, 3, ROWS)(acc, x, from, weights, run, 0, ROWS);\
                    else if (oy + ROWS - 1 == h)                                                   \
                        OF(accumulate, whole, VALUE, 3, ROWS)(acc, x, from, weights, run, 0, ROWS - 1);\
                    else                                                                           \
                        UNROLL for (int r = 0; r < ROWS; r++)                                      \
                            if (oy + r < h)                                                        \
                                OF(accumulate, whole, VALUE, 3, ROWS)(acc, x, from, weights, run, r,\
                                                                      r + 1);                      \
                }                                                                                  \
                UNROLL for (int r = 0; r < ROWS; r++)                                              \
                    if (iy + 2 * r < 2 * h)                                                        \
                        UNROLL for (int c = 0; c < 3; c++)                                         \
                            finish_whole(acc[c][r], f, c, fine + (((iy + 2 * r) * 2 * w + ix) * 3  \
                                                                  + c) * LANES);                   \
            }                                                                                      \
    }

/* One or two blocks, as in `coarsen`; or all of them, where F is 3. */
#define DEFINE_REFINE(VALUE)                                                                       \
    static void refine_##VALUE(const VALUE *coarse, const VALUE *packed, float *fine, long first,  \
                               long count, long h, long w, long F, long C, const finish *f) {      \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        const long left = strips_of(f->images) - first * STRIPS;                                   \
        const long strips = least(count * STRIPS, left);                                           \
        const long whole = least(strips, left - half_blocks(f->images));                           \
        coarse += first * coarse_block;                                                            \
        fine += first * fine_block;                                                                \
        for (long s = 0; F == 3 && s < strips; s++)                                                \
            ONE_STRIP(refine_three, VALUE, s >= whole)(coarse + strip_at(s, coarse_block), packed, \
                                                       fine + strip_at(s, fine_block), h, w, C, f);\
        for (long iy = 0; F != 3 && iy < 2 * h; iy++) {                                            \
            long s = 0;                                                                            \
            for (; s + 2 <= whole; s += 2)                                                         \
                refine_strips_##VALUE(coarse + strip_at(s, coarse_block), packed,                  \
                                      fine + strip_at(s, fine_block), iy, h, w, F, C, f);          \
            for (; s < strips; s++)                                                                \
                ONE_STRIP(refine, VALUE, s >= whole)(coarse + strip_at(s, coarse_block), packed,   \
                                                     fine + strip_at(s, fine_block), iy, h, w, F, C,\
                                                     f);                                           \
            for (long b = 0; f->sum && b < count; b++) {                                           \
                const size_t at = b * fine_block + iy * 2 * w * F * LANES;                         \
                observe(fine + at, f->other ? f->other + first * fine_block + at : NULL, 2 * w, F, \
                        first + b, f);                                                             \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_REFINE_ROW(strips, whole, float, BESIDE, 1)
DEFINE_REFINE_ROW(whole, whole, float, BESIDE, 2)
DEFINE_REFINE_THREE(float)
#if WIDTH == 16
DEFINE_REFINE_ROW(half, half, float, 6, 2)
DEFINE_REFINE_THREE_HALF(float)
#endif
DEFINE_REFINE(float)
#ifdef __AVX512BF16__
DEFINE_REFINE_ROW(strips, whole, uint16_t, 12, 1)
DEFINE_REFINE_ROW(whole, whole, uint16_t, 12, 2)
DEFINE_REFINE_ROW(half, half, uint16_t, 6, 2)
DEFINE_REFINE_THREE(uint16_t)
DEFINE_REFINE_THREE_HALF(uint16_t)
DEFINE_REFINE(uint16_t)
#endif

/* weights [C][F][5][5] -> packed [F/T][2][2][3][3][C][T], taps by parity of the fine pixel: tap t of
 * parity p, counted upwards in the coarse map, is row 4 - 2t - p of the kernel */
INLINE void pack_refine(const float *weights, float *packed, long F, long C, const long T) {
    for (long tile = 0; tile < F; tile += T)
        for (long c = 0; c < C; c++)
            for (long p = 0; p < 4; p++)
                for (long t = 0; t < 3 - p / 2; t++)
                    for (long u = 0; u < 3 - p % 2; u++)
                        UNROLL for (long f = 0; f < T; f++)
                            packed[(((tile / T * 4 + p) * 9 + t * 3 + u) * C + c) * T + f] =
                                weights[((c * F + tile + f) * KERNEL + 4 - 2 * t - p / 2) * KERNEL +
                                        4 - 2 * u - p % 2];
}

/* fine = transposed convolution of coarse; packed: room for 36 F C floats */
void refine(const float *coarse, const float *weights, float *packed, float *fine, long blocks,
            long h, long w, long F, long C, const finish *f) {
    const long together = F == 3 ? blocks : 2;
    if (F == 3)
        pack_refine(weights, packed, F, C, 3);
    else
        pack_refine(weights, packed, F, C, 12);
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
    const long together = F == 3 ? blocks : 2;
    memset(packed, 0, sizeof(float) * 36 * F * C);
    if (F == 3)
        pack_refine(weights, packed, F, C, 3);
    else
        pack_refine(weights, packed, F, C, 12);
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
#if WIDTH != 16
#define SLOPES (WIDTH == 8 ? 3 : 6) /* coarse channels at a time, by four fine ones, in registers */
#define half_slopes(from, to) (void)0

/* Where the gradient of fine channel a and coarse channel c stands among the sums of a tile. */
INLINE long place(long a, long c) { return a * SLOPES + c; }

/* sums += those over strips and pixels of one tap, both maps as gathered; or = if they are `fresh`.
 * Of the first `strips` strips, each STRIPS make a block. */
#define DEFINE_WEIGHT_TILE(TILE)                                                                   \
    static void weight_tile_##TILE(const float *fine, const float *coarse, double *sums,           \
                                   int fresh, long strips, long half, long rows, long w, long y0,  \
                                   long y1, long x0, long x1, long ty, long tx) {                  \
        vec whole[TILE][SLOPES][STRIPS];                                                           \
        for (int first = 0; first < STRIPS; first++) {                                             \
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
                        UNROLL for (int a = 0; a < TILE; a++)                                      \
                            value[a] = a < 3 ? once(load(x + a * WIDTH)) : load(x + a * WIDTH);    \
                        UNROLL for (int c = 0; c < SLOPES; c++) {                                  \
                            const vec slope = once(load(g + c * WIDTH));                           \
                            UNROLL for (int a = 0; a < TILE; a++)                                  \
                                acc[a][c] = multiply_add(value[a], slope, acc[a][c]);              \
                        }                                                                          \
                    }                                                                              \
                }                                                                                  \
            UNROLL for (int a = 0; a < TILE; a++)                                                  \
                UNROLL for (int c = 0; c < SLOPES; c++) whole[a][c][first] = acc[a][c];            \
        }                                                                                          \
        UNROLL for (int a = 0; a < TILE; a++)                                                      \
            UNROLL for (int c = 0; c < SLOPES; c++)                                                \
                sums[place(a, c)] =                                                                \
                    (fresh ? 0 : sums[place(a, c)]) + total_of_strips(whole[a][c]);                \
    }
DEFINE_WEIGHT_TILE(4)
DEFINE_WEIGHT_TILE(3)
#endif

/* sums [F/tile][C/SLOPES][25][tile * SLOPES] -> gradient [C][F][5][5] */
static void unpack_sums(const double *sums, float *gradient, long F, long C, long tile) {
    for (long first = 0; first < F; first += tile)
        for (long channel = 0; channel < C; channel += SLOPES) {
            for (long c = 0; c < SLOPES; c++)
                for (long a = 0; a < tile; a++)
                    for (long k = 0; k < KERNEL * KERNEL; k++)
                        gradient[((channel + c) * F + first + a) * KERNEL * KERNEL + k] =
                            (float)sums[k * tile * SLOPES + place(a, c)];
            sums += KERNEL * KERNEL * tile * SLOPES;
        }
}

/* sums: room for 25 F C doubles; gradient as the weights, [C][F][5][5] */
void weight_gradient(const float *fine, const float *coarse, double *sums, float *gradient,
                     long images, long h, long w, long F, long C) {
    static __thread float values[(PIXELS + 1) * 8 * 4 * LANES] __attribute__((aligned(64)));
    static __thread float slopes[PIXELS * 96 * LANES] __attribute__((aligned(64)));
    const long rows = h * w <= PIXELS ? h : PIXELS / w, tile = F == 3 ? 3 : 4;
    const long together = PIXELS / (rows * w) * STRIPS;
    const size_t fine_block = (size_t)4 * h * w * F * LANES;
    const size_t coarse_block = (size_t)h * w * C * LANES;
    const long all_whole = strips_of(images) - half_blocks(images);
    for (long first = 0; first < strips_of(images); first += together) {
        const long count = least(together, strips_of(images) - first);
        const long whole = least(count, all_whole - first);
        for (long top = 0; top < h; top += rows) {
            const long bottom = least(top + rows, h);
            for (long s = 0; s < count; s++)
                for (long p = top * w; p < bottom * w; p++)
                    for (long c = 0; c < C; c += SLOPES) {
                        const float *from = coarse + strip_at(first + s, coarse_block) +
                                            (p * C + c) * LANES;
                        float *to = slopes + ((c / SLOPES * together + s) * rows * w + p - top * w) *
                                                 SLOPES * WIDTH;
                        if (s < whole)
                            UNROLL for (long k = 0; k < SLOPES; k++)
                                store(to + k * WIDTH, load(from + k * LANES));
                        else
                            half_slopes(from, to);
                    }
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
                                    const long tap = (2 * ty + py) * KERNEL + 2 * tx + px;
                                    double *g = sums + ((a / tile * (C / SLOPES) + c / SLOPES) *
                                                            KERNEL * KERNEL + tap) * tile * SLOPES;
                                    const float *s = slopes + c * together * rows * w * WIDTH;
                                    (tile == 3 ? weight_tile_3 : weight_tile_4)(
                                        values, s, g, first + top == 0, whole, count - whole, rows, w,
                                        y0, y1, x0, x1, ty, tx);
                                }
                    }
        }
    }
    unpack_sums(sums, gradient, F, C, tile);
}

typedef uint8_t bytes __attribute__((vector_size(LANES)));

/* Sixteen rows of sixteen bytes become columns: the rows are shuffled like cards, four times. */
INLINE void transpose(bytes row[LANES]) {
    for (int time = 0; time < 4; time++) {
        bytes shuffled[LANES];
        UNROLL for (int i = 0; i < LANES / 2; i++) {
            const bytes a = row[i], b = row[i + LANES / 2];
            shuffled[2 * i] = __builtin_shufflevector(
                a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            shuffled[2 * i + 1] = __builtin_shufflevector(
                a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        UNROLL for (int i = 0; i < LANES; i++) row[i] = shuffled[i];
    }
}

/* v / 255 of bytes, rounded once: 1 / 255 is the sum of two floats */
INLINE void store_quotients(bytes v, float *to) {
    const vec most = splat(1 / 255.0f), rest = splat((float)(1 / 255.0 - 1 / 255.0f));
    UNROLL for (int s = 0; s < STRIPS; s++) {
        uint8_t part __attribute__((vector_size(WIDTH)));
        memcpy(&part, (const char *)&v + s * WIDTH, WIDTH);
        const vec value = __builtin_convertvector(__builtin_convertvector(part, ivec), vec);
        store(to + s * WIDTH, multiply_add(value, most, value * rest));
    }
}

/* pixels of chosen images, uint8 [M][pixels] -> float [blocks][pixels][16] in [0, 1] */
void gather(const uint8_t *images, const int64_t *index, float *blocked, long count, long pixels) {
    for (long block = 0; block * LANES < count; block++)
        for (long start = 0; start < pixels; start += LANES) {
            const long some = least(LANES, pixels - start), lanes = least(LANES, count - block * LANES);
            bytes row[LANES] = {{0}};
            for (long lane = 0; lane < lanes; lane++) {
                const uint8_t *from = images + index[block * LANES + lane] * pixels + start;
                if (some == LANES)
                    memcpy(&row[lane], from, LANES);
                else
                    memcpy(&row[lane], from, some);
            }
            transpose(row);
            for (long p = 0; p < some; p++)
                store_quotients(row[p], blocked + (block * pixels + start + p) * LANES);
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
