/* Half a block costs half: the last block of a batch where it holds at most eight images.
 *
 * Lanes 8 to 15 of every map are padding there: they are not read, and zeros are written. A vector
 * of sixteen floats holds the eight images twice, either
 *   in pairs:   lane 2 i is image i in one channel, lane 2 i + 1 the same image in the next one; or
 *   in halves:  lanes 0 to 7 are the images in one row or channel, lanes 8 to 15 in another one.
 * The sum of each image runs over the same products in the same order as in a whole block, so it has
 * the same bits.
 */
#define HALF (LANES / 2)

/* Blocks of a batch that are half ones: 1 or 0, the last one. */
INLINE long half_blocks(long images) {
    return images % LANES > 0 && images % LANES <= HALF;
}

/* In pairs: what lies in a vector, the weights of a pair, and what becomes of its sums. */
#define CHANNELS_half 2
INLINE vec value_half(const void *at) {
    const __m512i twice = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
    return (vec)_mm512_permutexvar_epi32(twice, _mm512_load_si512(at));
}
INLINE vec weight_half(const void *at, int n) {
    int64_t bits;
    memcpy(&bits, (const char *)at + n * sizeof bits, sizeof bits);
    return (vec)_mm512_set1_epi64(bits);
}
/* The first eight lanes, finished, and zeros beyond them */
INLINE void finish_eight(vec v, const finish *f, long channel, float *output) {
    store(output, (vec)_mm512_maskz_mov_ps(0x00ff, (__m512)finished(v, f, channel)));
}
INLINE void finish_half(vec v, const finish *f, long channel, float *output) {
    const __m512i even = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 15, 13, 11, 9, 7, 5, 3, 1);
    finish_eight((vec)_mm512_permutexvar_ps(even, (__m512)v), f, channel, output);
    finish_eight((vec)_mm512_permutexvar_ps(odd, (__m512)v), f, channel + 1, output + LANES);
}

/* In halves: of two vectors, their first or their second halves. */
INLINE vec firsts(vec a, vec b) { return (vec)_mm512_shuffle_f32x4((__m512)a, (__m512)b, 0x44); }
INLINE vec seconds(vec a, vec b) { return (vec)_mm512_shuffle_f32x4((__m512)a, (__m512)b, 0xee); }
INLINE vec halves_at(const void *first, const void *second) {
    const __m512i low = _mm512_castsi256_si512(_mm256_load_si256(first));
    return (vec)_mm512_inserti64x4(low, _mm256_load_si256(second), 1);
}
INLINE vec both_halves(const float *at) {
    return (vec)_mm512_broadcast_i64x4(_mm256_load_si256((const __m256i *)at));
}

/* As `refine` to three channels, of eight rows at once, two to a vector, each with another one
 * between. Products with what lies beyond the map's edge are left out by a mask; the first row is
 * read in its place.
 */
#define VECTORS 4
INLINE vec add_float_where(vec value, vec weight, vec sum, __mmask16 which) {
    return (vec)_mm512_mask3_fmadd_ps((__m512)value, (__m512)weight, (__m512)sum, which);
}
#ifdef __AVX512BF16__
INLINE vec add_uint16_t_where(vec value, vec weight, vec sum, __mmask16 which) {
    return (vec)_mm512_mask_dpbf16_ps((__m512)sum, which, (__m512bh)value, (__m512bh)weight);
}
#endif
#define DEFINE_REFINE_THREE_HALF(VALUE)                                                            \
    static void refine_three_half_##VALUE(const VALUE *coarse, const VALUE *packed, float *fine,   \
                                          long h, long w, long C, const finish *f) {               \
        for (long iy = 0; iy < 2 * h; iy += iy % 2 ? 4 * VECTORS - 1 : 1) {                        \
            const VALUE *from[3][2 * VECTORS];                                                     \
            __mmask16 inside[3][VECTORS] = {{0}};                                                  \
            for (long t = 0; t < taps(iy); t++)                                                    \
                for (long r = 0; r < 2 * VECTORS; r++) {                                           \
                    const long oy = first_tap(iy) + r + t;                                         \
                    const int in = oy >= 0 && oy < h;                                              \
                    from[t][r] = coarse + (in ? oy : 0) * w * C * LANES;                           \
                    if (in) inside[t][r / 2] |= r % 2 ? 0xff00 : 0x00ff;                           \
                }                                                                                  \
            for (long ix = 0; ix < 2 * w; ix++) {                                                  \
                vec acc[3][VECTORS];                                                               \
                UNROLL for (int c = 0; c < 3; c++)                                                 \
                    UNROLL for (int v = 0; v < VECTORS; v++) acc[c][v] = (vec){0};                 \
                const long ox = first_tap(ix), left = ox < 0, end = least(taps(ix), w - ox);       \
                for (long t = 0; t < taps(iy); t++) {                                              \
                    const VALUE *weights =                                                         \
                        packed + ((iy % 2 * 2 + ix % 2) * 9 + t * 3 + left) * C * 3;               \
                    for (long j = 0; j < (end - left) * C; j += STEP_##VALUE) {                    \
                        const size_t at = ((ox + left) * C + j) * LANES;                           \
                        vec value[VECTORS];                                                        \
                        UNROLL for (int v = 0; v < VECTORS; v++)                                   \
                            value[v] =                                                             \
                                once(halves_at(from[t][2 * v] + at, from[t][2 * v + 1] + at));     \
                        UNROLL for (int c = 0; c < 3; c++) {                                       \
                            const vec weight = weight_whole(weights + j * 3, c);                   \
                            UNROLL for (int v = 0; v < VECTORS; v++)                               \
                                acc[c][v] = add_##VALUE##_where(value[v], weight, acc[c][v],       \
                                                                inside[t][v]);                     \
                        }                                                                          \
                    }                                                                              \
                }                                                                                  \
                UNROLL for (int v = 0; v < VECTORS; v++)                                           \
                    UNROLL for (int c = 0; c < 3; c++) {                                           \
                        const long at = iy + 4 * v;                                                \
                        float *to = fine + ((at * 2 * w + ix) * 3 + c) * LANES;                    \
                        const vec second = seconds(acc[c][v], acc[c][v]);                          \
                        if (at < 2 * h) finish_eight(acc[c][v], f, c, to);                         \
                        if (at + 2 < 2 * h) finish_eight(second, f, c, to + 4 * w * 3 * LANES);    \
                    }                                                                              \
            }                                                                                      \
        }                                                                                          \
    }

/* The gradient by the weights, of SLOPES coarse channels by TILE fine ones at one tap. Half a block
 * goes on with the first halves of a whole block's sums, two coarse channels to a vector. */
#define SLOPES 6
#define DOUBLES (SLOPES / 2)

INLINE void half_slopes(const float *from, float *to) {
    UNROLL for (int c = 0; c < DOUBLES; c++)
        store(to + c * LANES, firsts(load(from + 2 * c * LANES), load(from + (2 * c + 1) * LANES)));
}

/* Steps of `total`, of two or four vectors at once. Of sixteen lanes, a and b in halves: */
INLINE vec add_quarters(vec a, vec b) { /* their quarters in turn: a b a b */
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
}
INLINE vec add_eighths(vec a, vec b) { /* in each quarter two lanes of a and two of b */
    return (vec)_mm512_shuffle_ps((__m512)a, (__m512)b, 0x44) +
           (vec)_mm512_shuffle_ps((__m512)a, (__m512)b, 0xee);
}
INLINE vec add_neighbours(vec a, vec b) { /* as before */
    return (vec)_mm512_shuffle_ps((__m512)a, (__m512)b, 0x88) +
           (vec)_mm512_shuffle_ps((__m512)a, (__m512)b, 0xdd);
}

/* sums[count] += totals of the halves of twelve vectors, in the order of `place`; = if `fresh`. */
INLINE void add_totals(const vec halves[12], double *sums, int count, int fresh) {
    const __m512i order = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 13, 5, 9, 1, 12, 4, 8, 0);
    vec four[6], two[3];
    UNROLL for (int i = 0; i < 6; i++) four[i] = add_quarters(halves[2 * i], halves[2 * i + 1]);
    UNROLL for (int i = 0; i < 3; i++) two[i] = add_eighths(four[2 * i], four[2 * i + 1]);
    const __m512 most = (__m512)add_neighbours(two[0], two[1]);
    const __m512 rest = (__m512)add_neighbours(two[2], two[2]);
    const __m512 second = (__m512)seconds((vec)most, (vec)most);
    const __m256 parts[3] = {_mm512_castps512_ps256(most), _mm512_castps512_ps256(second),
                             _mm512_castps512_ps256(_mm512_permutexvar_ps(order, rest))};
    UNROLL for (int i = 0; i < 3; i++) {
        const __mmask8 which = count - 8 * i >= 8 ? 0xff : (1 << (count - 8 * i)) - 1;
        __m512d sum = fresh ? _mm512_setzero_pd() : _mm512_maskz_loadu_pd(which, sums + 8 * i);
        sum = _mm512_add_pd(sum, _mm512_cvtps_pd(parts[i]));
        _mm512_mask_storeu_pd(sums + 8 * i, which, sum);
    }
}

/* Where the gradient of fine channel a and coarse channel c stands among the sums of a tile. */
INLINE long place(long a, long c) {
    const long n = a * DOUBLES + c / 2, second = c % 2;
    return n < 8 ? (2 * second + n % 2) * 4 + n / 2 : 16 + (n - 8) * 2 + second;
}

/* sums += those over blocks and pixels of one tap, both maps as gathered; = if they are `fresh`. */
#define DEFINE_WEIGHT_TILE(TILE)                                                                   \
    static void weight_tile_##TILE(const float *fine, const float *coarse, double *sums, int fresh,\
                                   long blocks, long half, long rows, long w, long y0, long y1,    \
                                   long x0, long x1, long ty, long tx) {                           \
        vec acc[TILE][SLOPES], first[TILE][DOUBLES], second[TILE][DOUBLES], halves[12] = {{0}};    \
        UNROLL for (int a = 0; a < TILE; a++)                                                      \
            UNROLL for (int c = 0; c < SLOPES; c++) acc[a][c] = (vec){0};                          \
        const float *x = fine + ((y0 + ty) * (w + 2) + x0 + tx) * TILE * LANES;                    \
        const float *g = coarse + (y0 * w + x0) * SLOPES * LANES;                                  \
        const long x_row = (w + 2) * TILE * LANES, g_row = w * SLOPES * LANES;                     \
        for (long b = 0; b < blocks; b++, x += (rows + 2) * x_row, g += rows * g_row)              \
            for (long y = 0; y < y1 - y0; y++)                                                     \
                for (long p = 0; p < x1 - x0; p++) {                                               \
                    vec value[TILE];                                                               \
                    UNROLL for (int a = 0; a < TILE; a++)                                          \
                        value[a] = load(x + y * x_row + (p * TILE + a) * LANES);                   \
                    UNROLL for (int c = 0; c < SLOPES; c++) {                                      \
                        const vec slope = once(load(g + y * g_row + (p * SLOPES + c) * LANES));    \
                        UNROLL for (int a = 0; a < TILE; a++)                                      \
                            acc[a][c] = multiply_add(value[a], slope, acc[a][c]);                  \
                    }                                                                              \
                }                                                                                  \
        UNROLL for (int a = 0; a < TILE; a++)                                                      \
            UNROLL for (int c = 0; c < DOUBLES; c++) {                                             \
                first[a][c] = firsts(acc[a][2 * c], acc[a][2 * c + 1]);                            \
                second[a][c] = seconds(acc[a][2 * c], acc[a][2 * c + 1]);                          \
            }                                                                                      \
        for (long y = 0; half && y < y1 - y0; y++)                                                 \
            for (long p = 0; p < x1 - x0; p++) {                                                   \
                vec value[TILE];                                                                   \
                UNROLL for (int a = 0; a < TILE; a++)                                              \
                    value[a] = both_halves(x + y * x_row + (p * TILE + a) * LANES);                \
                UNROLL for (int c = 0; c < DOUBLES; c++) {                                         \
                    const vec slope = once(load(g + y * g_row + (p * SLOPES + c) * LANES));        \
                    UNROLL for (int a = 0; a < TILE; a++)                                          \
                        first[a][c] = multiply_add(value[a], slope, first[a][c]);                  \
                }                                                                                  \
            }                                                                                      \
        UNROLL for (int a = 0; a < TILE; a++)                                                      \
            UNROLL for (int c = 0; c < DOUBLES; c++)                                               \
                halves[a * DOUBLES + c] = first[a][c] + second[a][c];                              \
        add_totals(halves, sums, TILE * SLOPES, fresh);                                            \
    }
DEFINE_WEIGHT_TILE(4)
DEFINE_WEIGHT_TILE(3)
