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

/* acc[c][b] += sum over the run of w[j][c] * x[block b][j], for TILE channels and B blocks. */
#define DEFINE_ACCUMULATE(TILE, B)                                                                 \
    INLINE void accumulate_float_##TILE##_##B(vec acc[TILE][B], const float *x, size_t block,      \
                                              const float *w, long run) {                          \
        for (long j = 0; j < run; j++) {                                                           \
            vec lane[B];                                                                           \
            UNROLL for (int b = 0; b < B; b++) lane[b] = load(x + b * block + j * LANES);          \
            UNROLL for (int c = 0; c < TILE; c++) {                                                \
                vec weight = splat(w[j * TILE + c]);                                               \
                UNROLL for (int b = 0; b < B; b++) acc[c][b] += weight * lane[b];                  \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_ACCUMULATE(12, 2)
DEFINE_ACCUMULATE(12, 1)
DEFINE_ACCUMULATE(3, 4)
DEFINE_ACCUMULATE(3, 1)

#ifdef __AVX512BF16__
/* The same for a run of pairs of bfloat16: x[block b][j / 2][lane][2], w[j / 2][c][2]. */
#define DEFINE_ACCUMULATE_PAIRS(TILE, B)                                                           \
    INLINE void accumulate_uint16_t_##TILE##_##B(vec acc[TILE][B], const uint16_t *x,              \
                                                 size_t block, const uint16_t *w, long run) {      \
        for (long j = 0; j < run; j += 2) {                                                        \
            __m512bh lane[B];                                                                      \
            UNROLL for (int b = 0; b < B; b++)                                                     \
                lane[b] = (__m512bh)_mm512_load_si512(x + b * block + j * LANES);                  \
            UNROLL for (int c = 0; c < TILE; c++) {                                                \
                int32_t pair;                                                                      \
                memcpy(&pair, w + j * TILE + 2 * c, sizeof pair);                                  \
                const __m512bh weight = (__m512bh)_mm512_set1_epi32(pair);                         \
                UNROLL for (int b = 0; b < B; b++)                                                 \
                    acc[c][b] = (vec)_mm512_dpbf16_ps((__m512)acc[c][b], lane[b], weight);         \
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
    if (f->scale) v = v * f->scale[channel] + f->shift[channel];
    store(output, v);
}

#define TOGETHER 6 /* channels whose sums stay in registers; divides every observed map's */

/* Add up `pixels` finished pixels of a block, which the cache still holds. */
static void observe(const float *values, const float *other, long pixels, long channels, vec mask,
                    const finish *f) {
    for (long first = 0; first < channels; first += TOGETHER) {
        vec sum[TOGETHER] = {{0}}, product[TOGETHER] = {{0}}, centre[TOGETHER];
        UNROLL for (int c = 0; c < TOGETHER; c++) centre[c] = splat(f->centre[first + c]);
        for (long p = 0; p < pixels; p++) {
            const size_t at = (p * channels + first) * LANES;
            UNROLL for (int c = 0; c < TOGETHER; c++) {
                vec v = load(values + at + c * LANES);
                if (!other) v -= centre[c];
                sum[c] += v;
                product[c] += v * (other ? load(other + at + c * LANES) - centre[c] : v);
            }
        }
        for (long c = 0; c < TOGETHER; c++) {
            f->sum[first + c] += total(sum[c] * mask);
            f->product[first + c] += total(product[c] * mask);
        }
    }
}

/* Of a fine pixel's coordinate: the coarse coordinate of its first tap, and its number of taps. */
INLINE long first_tap(long i) { return (i + 1) / 2 - 1; }
INLINE long taps(long i) { return i % 2 ? 2 : 3; }

#include "half_blocks.h"

#define DEFINE_COARSEN(VALUE, TILE, B)                                                             \
    static void coarsen_##VALUE##_##TILE##_##B(const VALUE *fine, const VALUE *packed, float *coarse,\
                                     long first, long h, long w, long F, long C,                   \
                                     const finish *f) {                                            \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        for (long oy = 0; oy < h; oy++) {                                                          \
            for (long tile = 0; tile < C / TILE; tile++)                                           \
                for (long ox = 0; ox < w; ox++) {                                                  \
                    vec acc[TILE][B];                                                              \
                    UNROLL for (int c = 0; c < TILE; c++)                                          \
                        UNROLL for (int b = 0; b < B; b++) acc[c][b] = (vec){0};                   \
                    const long left = ox ? 0 : 2, right = ox < w - 1 ? 5 : 4;                      \
                    for (long ky = oy ? 0 : 2; ky < (oy < h - 1 ? 5 : 4); ky++) {                  \
                        const long iy = 2 * oy + ky - 2, ix = 2 * ox + left - 2;                   \
                        accumulate_##VALUE##_##TILE##_##B(                                         \
                            acc, fine + first * fine_block + (iy * 2 * w + ix) * F * LANES,        \
                            fine_block, packed + ((tile * KERNEL + ky) * KERNEL + left) * F * TILE,\
                            (right - left) * F);                                                   \
                    }                                                                              \
                    UNROLL for (int b = 0; b < B; b++)                                             \
                        UNROLL for (int c = 0; c < TILE; c++)                                      \
                            finish_channel(acc[c][b], f, tile * TILE + c,                          \
                                           coarse + (first + b) * coarse_block +                   \
                                               ((oy * w + ox) * C + tile * TILE + c) * LANES);     \
                }                                                                                  \
            for (long b = 0; f->sum && b < B; b++) {                                               \
                const size_t at = (first + b) * coarse_block + oy * w * C * LANES;                 \
                observe(coarse + at, f->other ? f->other + at : NULL, w, C,                        \
                        lanes_of(first + b, f->images), f);                                        \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_COARSEN(float, 12, 2)
DEFINE_COARSEN(float, 12, 1)
#ifdef __AVX512BF16__
DEFINE_COARSEN(uint16_t, 12, 2)
DEFINE_COARSEN(uint16_t, 12, 1)
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
    const extent all = blocks_of(blocks, f->images);
    const long two = all.whole / 2 * 2;
    pack_coarsen(weights, packed, F, C);
    for (long first = 0; first < two; first += 2)
        coarsen_float_12_2(fine, packed, coarse, first, h, w, F, C, f);
    coarsen_last_float(fine, packed, coarse, two, (extent){all.whole - two, all.half}, h, w, F, C, f);
}

#define DEFINE_REFINE(VALUE, TILE, B)                                                              \
    static void refine_##VALUE##_##TILE##_##B(const VALUE *coarse, const VALUE *packed, float *fine,\
                                    long first, long h, long w, long F, long C,                    \
                                    const finish *f) {                                             \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        for (long iy = 0; iy < 2 * h; iy++) {                                                      \
            for (long tile = 0; tile < F / TILE; tile++)                                           \
                for (long ix = 0; ix < 2 * w; ix++) {                                              \
                    vec acc[TILE][B];                                                              \
                    UNROLL for (int c = 0; c < TILE; c++)                                          \
                        UNROLL for (int b = 0; b < B; b++) acc[c][b] = (vec){0};                   \
                    const long oy = first_tap(iy), ox = first_tap(ix);                             \
                    const long left = ox < 0, end = ox + taps(ix) > w ? w - ox : taps(ix);         \
                    const VALUE *weights =                                                         \
                        packed + (tile * 4 + iy % 2 * 2 + ix % 2) * 9 * C * TILE;                  \
                    for (long t = 0; t < taps(iy); t++) {                                          \
                        if (oy + t < 0 || oy + t >= h) continue;                                   \
                        accumulate_##VALUE##_##TILE##_##B(                                         \
                            acc,                                                                   \
                            coarse + first * coarse_block + ((oy + t) * w + ox + left) * C * LANES,\
                            coarse_block, weights + (t * 3 + left) * C * TILE, (end - left) * C);  \
                    }                                                                              \
                    UNROLL for (int b = 0; b < B; b++)                                             \
                        UNROLL for (int c = 0; c < TILE; c++)                                      \
                            finish_channel(acc[c][b], f, tile * TILE + c,                          \
                                           fine + (first + b) * fine_block +                       \
                                               ((iy * 2 * w + ix) * F + tile * TILE + c) * LANES); \
                }                                                                                  \
            for (long b = 0; f->sum && b < B; b++) {                                               \
                const size_t at = (first + b) * fine_block + iy * 2 * w * F * LANES;               \
                observe(fine + at, f->other ? f->other + at : NULL, 2 * w, F,                      \
                        lanes_of(first + b, f->images), f);                                        \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_REFINE(float, 12, 2)
DEFINE_REFINE(float, 12, 1)
DEFINE_REFINE(float, 3, 4)
DEFINE_REFINE(float, 3, 1)
#ifdef __AVX512BF16__
DEFINE_REFINE(uint16_t, 12, 2)
DEFINE_REFINE(uint16_t, 12, 1)
DEFINE_REFINE(uint16_t, 3, 4)
DEFINE_REFINE(uint16_t, 3, 1)
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
    long first = 0;
    pack_refine(weights, packed, F, C, F == 3 ? 3 : 12);
    if (F == 3) {
        const extent all = blocks_of(blocks, f->images);
        for (; first < blocks; first++)
            (first < all.whole ? refine_three_whole_float : refine_three_half_float)(
                coarse + first * h * w * C * LANES, packed, fine + first * 4 * h * w * 3 * LANES, h, w, C, f);
        return;
    }
    const extent all = blocks_of(blocks, f->images);
    const long two = all.whole / 2 * 2;
    for (; first < two; first += 2) refine_float_12_2(coarse, packed, fine, first, h, w, F, C, f);
    refine_last_float(coarse, packed, fine, two, (extent){all.whole - two, all.half}, h, w, F, C, f);
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
    long first = 0;
    pack_coarsen(weights, packed, F, C);
    pair_weights(packed, pairs, KERNEL * KERNEL * F * C, 12);
    for (; first + 2 <= blocks; first += 2)
        coarsen_uint16_t_12_2(fine, pairs, coarse, first, h, w, F, C, f);
    for (; first < blocks; first++)
        coarsen_uint16_t_12_1(fine, pairs, coarse, first, h, w, F, C, f);
}

/* As `refine`, from pairs. packed and pairs: room for 36 F C. */
void refine_pairs(const uint16_t *coarse, const float *weights, float *packed, uint16_t *pairs,
                  float *fine, long blocks, long h, long w, long F, long C, const finish *f) {
    long first = 0;
    memset(packed, 0, sizeof(float) * 36 * F * C);
    pack_refine(weights, packed, F, C, F == 3 ? 3 : 12);
    pair_weights(packed, pairs, 36 * F * C, F == 3 ? 3 : 12);
    if (F == 3) {
        for (; first + 4 <= blocks; first += 4)
            refine_uint16_t_3_4(coarse, pairs, fine, first, h, w, F, C, f);
        for (; first < blocks; first++)
            refine_uint16_t_3_1(coarse, pairs, fine, first, h, w, F, C, f);
        return;
    }
    for (; first + 2 <= blocks; first += 2)
        refine_uint16_t_12_2(coarse, pairs, fine, first, h, w, F, C, f);
    for (; first < blocks; first++)
        refine_uint16_t_12_1(coarse, pairs, fine, first, h, w, F, C, f);
}
#endif

/* Of a run of coarse rows: one parity of the fine pixels beside them, TF channels, side by side.
 * Fine pixel (2 y + py, 2 x + px) stands at [y - top + 1][x + 1]; what lies outside is left out.
 */
INLINE void gather_phase(const float *fine, float *to, long tile, long py, long px, long top,
                         long bottom, long h, long w, long F) {
    for (long y = top > 0 ? top - 1 : 0; y < (bottom < h ? bottom + 1 : h); y++)
        for (long x = 0; x < w; x++)
            for (long a = 0; a < tile; a++)
                store(to + (((y - top + 1) * (w + 2) + x + 1) * tile + a) * LANES,
                      load(fine + (((2 * y + py) * 2 * w + 2 * x + px) * F + a) * LANES));
}

#define PIXELS 64 /* coarse pixels at a time: their two maps fit the first-level cache */

/* gradient [C][F][5][5] = sums [F/tile][C/SLOPES][25][tile * SLOPES], within a tile by `place` */
static void unpack_sums(const double *sums, float *gradient, long F, long C, long tile) {
    for (long a = 0; a < F; a++)
        for (long c = 0; c < C; c++) {
            const double *from = sums + (a / tile * (C / SLOPES) + c / SLOPES) * KERNEL * KERNEL *
                                            tile * SLOPES + place(a % tile, c % SLOPES);
            for (long k = 0; k < KERNEL * KERNEL; k++)
                gradient[(c * F + a) * KERNEL * KERNEL + k] = (float)from[k * tile * SLOPES];
        }
}

/* sums: room for 25 F C doubles; gradient as the weights, [C][F][5][5] */
void weight_gradient(const float *fine, const float *coarse, double *sums, float *gradient,
                     long blocks, long h, long w, long F, long C, long images) {
    static __thread float values[(PIXELS + 1) * 8 * 4 * LANES] __attribute__((aligned(64)));
    static __thread float slopes[PIXELS * 96 * LANES] __attribute__((aligned(64)));
    const long rows = h * w <= PIXELS ? h : PIXELS / w, tile = F == 3 ? 3 : 4;
    const long together = PIXELS / (rows * w);
    const extent all = blocks_of(blocks, images);
    for (long first = 0; first < blocks; first += together) {
        const long count = first + together < blocks ? together : blocks - first;
        const long whole = first + count <= all.whole ? count : count - 1;
        for (long top = 0; top < h; top += rows) {
            const long bottom = top + rows < h ? top + rows : h;
            for (long b = 0; b < count; b++)
                for (long p = top * w; p < bottom * w; p++)
                    for (long c = 0; c < C; c += SLOPES) {
                        const float *from = coarse + (((first + b) * h * w + p) * C + c) * LANES;
                        float *to = slopes + ((c / SLOPES * together + b) * rows * w + p - top * w) *
                                                 SLOPES * LANES;
                        if (b < whole)
                            UNROLL for (long k = 0; k < SLOPES; k++)
                                store(to + k * LANES, load(from + k * LANES));
                        else
                            UNROLL for (long k = 0; k < TRIPLES; k++)
                                store(to + k * LANES, lows(load(from + 2 * k * LANES),
                                                           load(from + (2 * k + 1) * LANES)));
                    }
            for (long a = 0; a < F; a += tile)
                for (long py = 0; py < 2; py++)
                    for (long px = 0; px < 2; px++) {
                        for (long b = 0; b < count; b++) {
                            const float *from = fine + ((first + b) * 4 * h * w * F + a) * LANES;
                            float *to = values + b * (rows + 2) * (w + 2) * tile * LANES;
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
                                    const float *s = slopes + c * together * rows * w * LANES;
                                    (tile == 3 ? weight_tile_3 : weight_tile_4)(
                                        values, s, g, first + top == 0, (extent){whole, count - whole},
                                        rows, w, y0, y1, x0, x1, ty, tx);
                                }
                    }
        }
    }
    unpack_sums(sums, gradient, F, C, tile);
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
        observe(values + at, f->other + at, pixels, C, lanes_of(block, f->images), f);
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
        const double variance = fmax(n->product[c] / n->count - offset * offset, 0);
        n->centre[c] = (float)mean;
        n->inverse[c] = (float)(1 / sqrt(variance + n->epsilon));
        n->mean[c] += (float)(n->momentum * offset);
        n->variance[c] += (float)(n->momentum * (variance * n->count / (n->count - 1) - n->variance[c]));
        scale[c] = n->gamma[c] * n->inverse[c];
        shift[c] = n->beta[c] - n->centre[c] * scale[c];
    }
    for (long p = 0; p < blocks * pixels; p++)
        for (long c = 0; c < C; c++) {
            const size_t at = (p * C + c) * LANES;
            store(output + at, load(input + at) * scale[c] + shift[c]);
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
        vec sum[CHANNELS];
        const vec mask = lanes_of(block, images);
        memset(sum, 0, sizeof(vec) * C);
        for (long p = 0; p < pixels; p++)
            for (long c = 0; c < C; c++) {
                const size_t at = ((block * pixels + p) * C + c) * LANES;
                const vec value = load(input + at);
                vec v = slope[c] * load(gradient + at) + linear[c] * (value - n->centre[c]) +
                        constant[c];
                v = (vec)((ivec)(v * mask) & ~(value <= (vec){0}));
                store(gradient + at, v);
                sum[c] += v;
            }
        for (long c = 0; c < C; c++) biases[c] += total(sum[c]);
    }
    for (long c = 0; c < C; c++) bias[c] = (float)biases[c];
}

/* e^v by a polynomial on [-ln 2 / 2, ln 2 / 2], within 2 units in the last place (Cephes) */
INLINE vec exponential(vec v) {
    const vec magic = splat(12582912.0f); /* 1.5 x 2^23: adding it rounds to an integer */
    const vec n = (v * 1.44269504088896341f + magic) - magic;
    const vec r = (v - n * 0.693359375f) + n * 2.12194440e-4f;
    vec p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
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
    for (long block = 0; block < blocks; block++) {
        vec error_of_block = {0};
        for (long start = 0; start < pixels; start += 192) {
            vec sum = {0};
            for (long p = start; p < start + 192 && p < pixels; p++) {
                const size_t at = (block * pixels + p) * LANES;
                const vec value = sigmoid(load(decoded + at)), d = load(images + at) - value;
                store(decoded + at, value);
                sum += norm == 2 ? d * d : magnitude(d);
            }
            error_of_block += sum;
        }
        store(error + block * LANES, error_of_block);
    }
}

/* The way back: decoded becomes the gradient before the sigmoid, bias[3] its sums per channel.
 * slope: of the objective by each image's error; 0 in lanes beyond the last image
 */
void reconstruct_backward(float *decoded, const float *images, const float *slope, float *bias,
                          long blocks, long pixels, long norm) {
    double biases[3] = {0};
    for (long block = 0; block < blocks; block++) {
        vec sum[3] = {{0}, {0}, {0}};
        const vec s = load(slope + block * LANES);
        for (long p = 0; p < pixels; p += 3)
            for (long c = 0; c < 3; c++) {
                const size_t at = (block * pixels + p + c) * LANES;
                const vec value = load(decoded + at), d = value - load(images + at);
                const vec outer = norm == 2 ? d + d : sign(d);
                const vec v = s * outer * value * (1.0f - value);
                store(decoded + at, v);
                sum[c] += v;
            }
        for (long c = 0; c < 3; c++) biases[c] += total(sum[c]);
    }
    for (long c = 0; c < 3; c++) bias[c] = (float)biases[c];
}
