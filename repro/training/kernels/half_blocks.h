/* Convolutions of a single block of images, or of one and a half, in vectors of 512 bits.
 *
 * A batch ends with half a block where its last block holds at most eight images: lanes 8 to 15 of
 * every map are padding there, and are not computed. A vector then holds eight images twice:
 *   in pairs:  lane 2i is image i in one channel, lane 2i + 1 the same image in the next channel;
 *   in halves: lanes 0 to 7 are the images in one row or channel, lanes 8 to 15 in another one.
 * Each image's sum runs over the same products in the same order as in a whole block, so that its
 * bits are the same. Two output pixels, or several rows, are computed at once, because a sum has to
 * wait for its last product.
 */
#define HALF (LANES / 2)
#define PAIRS 6 /* of channels, in a tile of 12 */

typedef struct {
    long whole, half; /* how many whole blocks there are, and whether half a block follows */
} extent;

INLINE extent blocks_of(long blocks, long images) {
    const long half = blocks * LANES - images >= HALF;
    return (extent){blocks - half, half};
}

/* acc + value * weight; of bfloat16 two products to a lane */
#define STEP_float 1
INLINE vec add_float(vec acc, vec value, vec weight, __mmask16 which) {
    return (vec)_mm512_mask3_fmadd_ps((__m512)value, (__m512)weight, (__m512)acc, which);
}
#ifdef __AVX512BF16__
#define STEP_uint16_t 2
INLINE vec add_uint16_t(vec acc, vec value, vec weight, __mmask16 which) {
    return (vec)_mm512_mask_dpbf16_ps((__m512)acc, which, (__m512bh)value, (__m512bh)weight);
}
#endif

/* Of a whole block: a vector of it, weight n in all lanes, and what becomes of a finished tile. */
INLINE vec value_whole(const void *at) { return *(const vec *)at; }
INLINE vec weight_whole(const void *at, int n) {
    int32_t bits;
    memcpy(&bits, (const char *)at + n * sizeof bits, sizeof bits);
    return (vec)_mm512_set1_epi32(bits);
}
INLINE void finish_whole(vec v, const finish *f, long n, float *output) {
    finish_channel(v, f, n, output + n * LANES);
}

/* The same of half a block, in pairs of channels. */
INLINE vec value_half(const void *at) {
    const __m512i twice = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
    return (vec)_mm512_permutexvar_ps(twice, *(const __m512 *)at);
}
INLINE vec weight_half(const void *at, int n) {
    int64_t bits;
    memcpy(&bits, (const char *)at + n * sizeof bits, sizeof bits);
    return (vec)_mm512_set1_epi64(bits);
}
INLINE void finish_half(vec v, const finish *f, long n, float *output) {
    const __m512i first = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i second = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 15, 13, 11, 9, 7, 5, 3, 1);
    finish_channel((vec)_mm512_maskz_permutexvar_ps(0xff, first, (__m512)v), f, 2 * n,
                   output + 2 * n * LANES);
    finish_channel((vec)_mm512_maskz_permutexvar_ps(0xff, second, (__m512)v), f, 2 * n + 1,
                   output + (2 * n + 1) * LANES);
}

/* acc[n][p] += sum over the run of weights w[j] and x of pixel p, for pixels `from` to `to` of two.
 *
 * add_two does so for a row of taps of which `left` belong to the second pixel alone, those up to
 * `right` to both, and the rest of `end` to the first alone; a tap has `depth` channels.
 */
#define DEFINE_ADD(KIND, VALUE, N)                                                                 \
    INLINE void add_run_##KIND##_##VALUE(vec acc[N][2], const VALUE *x, size_t apart,              \
                                         const VALUE *w, long run, const int from, const int to) { \
        for (long j = 0; j < run; j += STEP_##VALUE) {                                             \
            vec value[2];                                                                          \
            UNROLL for (int p = from; p < to; p++)                                                 \
                value[p] = value_##KIND(x + p * apart + j * LANES);                                \
            UNROLL for (int n = 0; n < N; n++) {                                                   \
                const vec weight = weight_##KIND(w + j * 12, n);                                   \
                UNROLL for (int p = from; p < to; p++)                                             \
                    acc[n][p] = add_##VALUE(acc[n][p], value[p], weight, 0xffff);                  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    INLINE void add_two_##KIND##_##VALUE(vec acc[N][2], const VALUE *x, size_t apart,              \
                                         const VALUE *w, long left, long right, long end,          \
                                         long depth) {                                             \
        add_run_##KIND##_##VALUE(acc, x, apart, w, left * depth, 1, 2);                            \
        add_run_##KIND##_##VALUE(acc, x + left * depth * LANES, apart, w + left * depth * 12,      \
                                 (right - left) * depth, 0, 2);                                    \
        add_run_##KIND##_##VALUE(acc, x + right * depth * LANES, apart, w + right * depth * 12,    \
                                 (end - right) * depth, 0, 1);                                     \
    }

/* A row of a block's output, two pixels at a time; of the other map, the whole block. */
#define DEFINE_ROWS(KIND, VALUE, N)                                                                \
    static void coarsen_row_##KIND##_##VALUE(const VALUE *fine, const VALUE *packed, float *row,   \
                                             long oy, long h, long w, long F, long C,              \
                                             const finish *f) {                                    \
        for (long tile = 0; tile < C / 12; tile++)                                                 \
            for (long ox = 0; ox < w; ox += 2) {                                                   \
                vec acc[N][2];                                                                     \
                UNROLL for (int n = 0; n < N; n++) acc[n][0] = acc[n][1] = (vec){0};               \
                for (long ky = oy ? 0 : 2; ky < (oy < h - 1 ? 5 : 4); ky++)                        \
                    add_two_##KIND##_##VALUE(                                                      \
                        acc, fine + ((2 * oy + ky - 2) * 2 * w + 2 * ox - 2) * F * LANES,          \
                        2 * F * LANES, packed + (tile * KERNEL + ky) * KERNEL * F * 12,            \
                        ox ? 0 : 2, ox + 2 < w ? 5 : 4, 5, F);                                     \
                UNROLL for (int p = 0; p < 2; p++)                                                 \
                    UNROLL for (int n = 0; n < N; n++)                                             \
                        finish_##KIND(acc[n][p], f, tile * N + n, row + (ox + p) * C * LANES);     \
            }                                                                                      \
    }                                                                                              \
    static void refine_row_##KIND##_##VALUE(const VALUE *coarse, const VALUE *packed, float *row,  \
                                            long iy, long h, long w, long F, long C,               \
                                            const finish *f) {                                     \
        for (long tile = 0; tile < F / 12; tile++)                                                 \
            for (long ix = 0; ix < 2 * w; ix += ix % 2 ? 3 : 1) {                                  \
                vec acc[N][2];                                                                     \
                UNROLL for (int n = 0; n < N; n++) acc[n][0] = acc[n][1] = (vec){0};               \
                const long oy = first_tap(iy), ox = first_tap(ix), end = taps(ix);                 \
                for (long t = 0; t < taps(iy); t++)                                                \
                    if (oy + t >= 0 && oy + t < h)                                                 \
                        add_two_##KIND##_##VALUE(                                                  \
                            acc, coarse + ((oy + t) * w + ox) * C * LANES, C * LANES,              \
                            packed + ((tile * 4 + iy % 2 * 2 + ix % 2) * 9 + t * 3) * C * 12,      \
                            ox < 0, ox + 1 + end > w ? w - ox - 1 : end, end, C);                  \
                UNROLL for (int p = 0; p < 2; p++)                                                 \
                    UNROLL for (int n = 0; n < N; n++)                                             \
                        finish_##KIND(acc[n][p], f, tile * N + n, row + (ix + 2 * p) * F * LANES); \
            }                                                                                      \
    }

/* Half a block in halves: eight images of each of two rows. */
INLINE vec join(const void *low, const void *high) {
    const __m256 a = *(const __m256 *)low, b = *(const __m256 *)high;
    return (vec)_mm512_insertf32x8(_mm512_castps256_ps512(a), b, 1);
}
INLINE vec low_half(vec v) { return (vec)_mm512_zextps256_ps512(_mm512_castps512_ps256((__m512)v)); }
INLINE vec high_half(vec v) {
    return (vec)_mm512_zextps256_ps512(_mm512_extractf32x8_ps((__m512)v, 1));
}
#define ROWS_whole 1
#define ROWS_half 2
#define VECTORS 4 /* of rows at once */

/* As `refine` to three channels: rows of one parity at once, ROWS to a vector. What a row takes from
 * beyond the map's edge is left out by a mask; it is read from the map's first row meanwhile.
 */
#define DEFINE_THREE(KIND, VALUE)                                                                  \
    static void refine_three_##KIND##_##VALUE(const VALUE *coarse, const VALUE *packed,            \
                                              float *fine, long h, long w, long C,                 \
                                              const finish *f) {                                   \
        const int rows = ROWS_##KIND * VECTORS;                                                    \
        for (long first = 0; first < 2 * h; first += first % 2 ? 2 * rows - 1 : 1) {               \
            const VALUE *from[3][VECTORS * ROWS_##KIND];                                           \
            __mmask16 which[3][VECTORS] = {{0}};                                                   \
            for (long t = 0; t < taps(first); t++)                                                 \
                for (int r = 0; r < rows; r++) {                                                   \
                    const long oy = first_tap(first + 2 * r) + t;                                  \
                    const int inside = oy >= 0 && oy < h;                                          \
                    from[t][r] = coarse + (inside ? oy : 0) * w * C * LANES;                       \
                    if (inside) which[t][r / ROWS_##KIND] |= LANES_##KIND(r);                      \
                }                                                                                  \
            for (long ix = 0; ix < 2 * w; ix++) {                                                  \
                vec acc[3][VECTORS];                                                               \
                UNROLL for (int c = 0; c < 3; c++)                                                 \
                    UNROLL for (int v = 0; v < VECTORS; v++) acc[c][v] = (vec){0};                 \
                const long ox = first_tap(ix), left = ox < 0;                                      \
                const long end = ox + taps(ix) > w ? w - ox : taps(ix);                            \
                for (long t = 0; t < taps(first); t++) {                                           \
                    const VALUE *weights =                                                         \
                        packed + ((first % 2 * 2 + ix % 2) * 9 + t * 3 + left) * C * 3;            \
                    const size_t start = (ox + left) * C * LANES;                                  \
                    for (long j = 0; j < (end - left) * C; j += STEP_##VALUE) {                    \
                        vec value[VECTORS];                                                        \
                        UNROLL for (int v = 0; v < VECTORS; v++)                                   \
                            value[v] = JOIN_##KIND(from[t], v, start + j * LANES);                 \
                        UNROLL for (int c = 0; c < 3; c++) {                                       \
                            const vec weight = weight_whole(weights + j * 3, c);                   \
                            UNROLL for (int v = 0; v < VECTORS; v++) acc[c][v] =                   \
                                add_##VALUE(acc[c][v], value[v], weight, which[t][v]);             \
                        }                                                                          \
                    }                                                                              \
                }                                                                                  \
                UNROLL for (int r = 0; r < rows; r++)                                              \
                    if (first + 2 * r < 2 * h)                                                     \
                        UNROLL for (int c = 0; c < 3; c++)                                         \
                            finish_channel(PART_##KIND(acc[c][r / ROWS_##KIND], r), f, c,          \
                                           fine + (((first + 2 * r) * 2 * w + ix) * 3 + c) * LANES);\
            }                                                                                      \
        }                                                                                          \
    }
#define LANES_whole(r) 0xffff
#define LANES_half(r) (r % 2 ? 0xff00 : 0x00ff)
#define JOIN_whole(from, v, at) value_whole(from[v] + (at))
#define JOIN_half(from, v, at) join(from[2 * (v)] + (at), from[2 * (v) + 1] + (at))
#define PART_whole(v, r) v
#define PART_half(v, r) (r % 2 ? high_half(v) : low_half(v))

#define DEFINE_SINGLE(VALUE)                                                                       \
    DEFINE_ADD(whole, VALUE, 12)                                                                   \
    DEFINE_ADD(half, VALUE, PAIRS)                                                                 \
    DEFINE_ROWS(whole, VALUE, 12)                                                                  \
    DEFINE_ROWS(half, VALUE, PAIRS)                                                                \
    DEFINE_THREE(whole, VALUE)                                                                     \
    DEFINE_THREE(half, VALUE)                                                                      \
    /* The last blocks of a batch: a whole one, half a one, or both. */                            \
    static void coarsen_last_##VALUE(const VALUE *fine, const VALUE *packed, float *coarse,        \
                                     long first, extent last, long h, long w, long F, long C,      \
                                     const finish *f) {                                            \
        const size_t fine_block = (size_t)4 * h * w * F * LANES;                                   \
        const size_t coarse_row = (size_t)w * C * LANES;                                           \
        for (long oy = 0; oy < h; oy++)                                                            \
            for (long b = first; b < first + last.whole + last.half; b++) {                        \
                const size_t at = (b * h + oy) * coarse_row;                                       \
                (b < first + last.whole ? coarsen_row_whole_##VALUE : coarsen_row_half_##VALUE)(   \
                    fine + b * fine_block, packed, coarse + at, oy, h, w, F, C, f);                \
                if (f->sum)                                                                        \
                    observe(coarse + at, f->other ? f->other + at : NULL, w, C,                    \
                            lanes_of(b, f->images), f);                                            \
            }                                                                                      \
    }                                                                                              \
    static void refine_last_##VALUE(const VALUE *coarse, const VALUE *packed, float *fine,         \
                                    long first, extent last, long h, long w, long F, long C,       \
                                    const finish *f) {                                             \
        const size_t coarse_block = (size_t)h * w * C * LANES;                                     \
        const size_t fine_row = (size_t)2 * w * F * LANES;                                         \
        for (long iy = 0; iy < 2 * h; iy++)                                                        \
            for (long b = first; b < first + last.whole + last.half; b++) {                        \
                const size_t at = (b * 2 * h + iy) * fine_row;                                     \
                (b < first + last.whole ? refine_row_whole_##VALUE : refine_row_half_##VALUE)(     \
                    coarse + b * coarse_block, packed, fine + at, iy, h, w, F, C, f);              \
                if (f->sum)                                                                        \
                    observe(fine + at, f->other ? f->other + at : NULL, 2 * w, F,                  \
                            lanes_of(b, f->images), f);                                            \
            }                                                                                      \
    }
DEFINE_SINGLE(float)
#ifdef __AVX512BF16__
DEFINE_SINGLE(uint16_t)
#endif

/* The gradient by the weights: SLOPES coarse channels by TILE fine ones, at one tap. A sum over
 * lanes takes as long as several products, so that of a whole tile is made at once, each by the
 * additions of `total`.
 */
#define SLOPES 6
#define TRIPLES (SLOPES / 2) /* pairs of coarse channels, in halves */

INLINE vec lows(vec a, vec b) { return (vec)_mm512_shuffle_f32x4((__m512)a, (__m512)b, 0x44); }
INLINE vec highs(vec a, vec b) { return (vec)_mm512_shuffle_f32x4((__m512)a, (__m512)b, 0xee); }
INLINE vec broadcast_half(const float *at) {
    return (vec)_mm512_broadcast_f32x8(*(const __m256 *)at);
}

/* Loaded once: a compiler would rather load a factor again for each of its products. */
INLINE vec once(vec v) {
    __asm__("" : "+v"(v));
    return v;
}

/* Add to every group of four lanes of a, or of b, its other two, and so on. */
INLINE vec add_quarters(vec a, vec b) {
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
}
INLINE vec add_twos(vec a, vec b) {
    return (vec)_mm512_shuffle_ps((__m512)a, (__m512)b, 0x44) +
           (vec)_mm512_shuffle_ps((__m512)a, (__m512)b, 0xee);
}
INLINE vec add_ones(vec a, vec b) {
    return (vec)_mm512_shuffle_ps((__m512)a, (__m512)b, 0x88) +
           (vec)_mm512_shuffle_ps((__m512)a, (__m512)b, 0xdd);
}

/* sums[16] and then [8] += totals of the halves of twelve vectors, in the order of `place`. */
INLINE void add_totals(const vec halves[12], double *sums, int count, int fresh) {
    vec four[6], two[3];
    UNROLL for (int i = 0; i < 6; i++) four[i] = add_quarters(halves[2 * i], halves[2 * i + 1]);
    UNROLL for (int i = 0; i < 3; i++) two[i] = add_twos(four[2 * i], four[2 * i + 1]);
    const __m512 most = (__m512)add_ones(two[0], two[1]);
    const __m512i order = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 13, 5, 9, 1, 12, 4, 8, 0);
    const __m512 rest = _mm512_permutexvar_ps(order, (__m512)add_ones(two[2], two[2]));
    const __m256 parts[3] = {_mm512_castps512_ps256(most), _mm512_extractf32x8_ps(most, 1),
                             _mm512_castps512_ps256(rest)};
    UNROLL for (int i = 0; i < 3; i++) {
        const __mmask8 which = (__mmask8)(count >= 8 * i + 8 ? 0xff : (1 << (count - 8 * i)) - 1);
        const __m512d before = fresh ? _mm512_setzero_pd() : _mm512_maskz_loadu_pd(which, sums + 8 * i);
        _mm512_mask_storeu_pd(sums + 8 * i, which, _mm512_add_pd(before, _mm512_cvtps_pd(parts[i])));
    }
}

/* Where the gradient of fine channel a and coarse channel c stands among the sums of a tile. */
INLINE long place(long a, long c) {
    const long n = a * TRIPLES + c / 2, high = c % 2;
    return n < 8 ? (2 * high + n % 2) * 4 + n / 2 : 16 + (n - 8) * 2 + high;
}

#define DEFINE_WEIGHT_TILE(TILE)                                                                   \
    static void weight_tile_##TILE(const float *fine, const float *coarse, double *sums, int fresh,\
                                   extent blocks, long rows, long w, long y0, long y1, long x0,    \
                                   long x1, long ty, long tx) {                                    \
        vec acc[TILE][SLOPES], low[TILE][TRIPLES], high[TILE][TRIPLES], halves[12] = {{0}};        \
        UNROLL for (int a = 0; a < TILE; a++)                                                      \
            UNROLL for (int c = 0; c < SLOPES; c++) acc[a][c] = (vec){0};                          \
        for (long block = 0; block < blocks.whole; block++)                                        \
            for (long y = y0; y < y1; y++) {                                                       \
                const float *x = fine + ((block * (rows + 2) + y + ty) * (w + 2) + x0 + tx) *      \
                                            TILE * LANES;                                          \
                const float *g = coarse + ((block * rows + y) * w + x0) * SLOPES * LANES;          \
                for (long ox = x0; ox < x1; ox++, x += TILE * LANES, g += SLOPES * LANES) {        \
                    vec value[TILE];                                                               \
                    UNROLL for (int a = 0; a < TILE; a++) value[a] = load(x + a * LANES);          \
                    UNROLL for (int c = 0; c < SLOPES; c++) {                                      \
                        const vec slope = once(load(g + c * LANES));                                           \
                        UNROLL for (int a = 0; a < TILE; a++) acc[a][c] += value[a] * slope;       \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
        UNROLL for (int a = 0; a < TILE; a++)                                                      \
            UNROLL for (int c = 0; c < TRIPLES; c++) {                                             \
                low[a][c] = lows(acc[a][2 * c], acc[a][2 * c + 1]);                                \
                high[a][c] = highs(acc[a][2 * c], acc[a][2 * c + 1]);                              \
            }                                                                                      \
        if (blocks.half)                                                                           \
            for (long y = y0; y < y1; y++) {                                                       \
                const float *x = fine + ((blocks.whole * (rows + 2) + y + ty) * (w + 2) + x0 + tx) *\
                                            TILE * LANES;                                          \
                const float *g = coarse + ((blocks.whole * rows + y) * w + x0) * SLOPES * LANES;   \
                for (long ox = x0; ox < x1; ox++, x += TILE * LANES, g += SLOPES * LANES) {        \
                    vec value[TILE];                                                               \
                    UNROLL for (int a = 0; a < TILE; a++) value[a] = broadcast_half(x + a * LANES);\
                    UNROLL for (int c = 0; c < TRIPLES; c++) {                                     \
                        const vec slope = once(load(g + c * LANES));                                           \
                        UNROLL for (int a = 0; a < TILE; a++) low[a][c] += value[a] * slope;       \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
        UNROLL for (int a = 0; a < TILE; a++)                                                      \
            UNROLL for (int c = 0; c < TRIPLES; c++)                                               \
                halves[a * TRIPLES + c] = low[a][c] + high[a][c];                                  \
        add_totals(halves, sums, TILE * SLOPES, fresh);                                            \
    }
DEFINE_WEIGHT_TILE(4)
DEFINE_WEIGHT_TILE(3)
