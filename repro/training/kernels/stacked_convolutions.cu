// 5 x 5 convolutions of stride 2 of stacked networks, and the transposed ones, in float32.
//
// Compiled for each layer with COARSE and FINE (channels of the small and of the large map), SIDE
// (of the small map; the large one has 2 SIDE) and HALF (maps in bfloat16; weights in float32).
// Maps are (S, channels, images, rows, columns), weights (S, COARSE, FINE, 5, 5). The pixel (y, x)
// of a small map belongs to the pixels (2 y + ky - 2, 2 x + kx - 2) of the large one.
//
// A block copies some channels of its images to shared memory, with a margin of zeros; a thread
// keeps its sums in registers. No atomics: the same numbers are added in the same order each time.

#include "stacked_maps.cuh"

constexpr int LARGE = 2 * SIDE, PIXELS = SIDE * SIDE;
constexpr int FOURS = PIXELS / 4;                         // four columns of a row of the small map
constexpr int TOGETHER = FOURS < 32 ? (FOURS < 16 ? 4 : 2) : 1;  // images of a block
constexpr int OF_COARSE = 12;                             // coarse channels of a thread
constexpr int COARSE_GROUPS = COARSE / OF_COARSE;
constexpr int OF_FINE = FINE < 4 ? FINE : 4;              // fine channels of a thread
constexpr int FINE_GROUPS = (FINE + 3) / 4;
constexpr int FINE_PADDED = 4 * FINE_GROUPS;

static __device__ int smaller(int a, int b) { return a < b ? a : b; }

// ---- the convolution: grid (images / TOGETHER, S), block FOURS COARSE_GROUPS TOGETHER
constexpr int FINE_CHUNK = SIDE >= 32 ? 1 : SIDE >= 16 ? 3 : 4;
constexpr int ROWS = LARGE + 4, PITCH = LARGE + 5;

extern "C" __global__ void __launch_bounds__(FOURS * COARSE_GROUPS * TOGETHER)
coarsen(const Map *fine, const float *weight, const float *bias, Map *coarse, int images) {
    __shared__ __align__(16) float tile[TOGETHER][FINE_CHUNK][ROWS][PITCH];
    __shared__ __align__(16) float taps[FINE_CHUNK * 25][COARSE];
    const int thread = threadIdx.x, threads = FOURS * COARSE_GROUPS * TOGETHER;
    const int four = thread % FOURS, own = thread / FOURS % TOGETHER;
    const int first = thread / (FOURS * TOGETHER) * OF_COARSE;
    const int y = four / (SIDE / 4), x = four % (SIDE / 4) * 4;
    const int member = blockIdx.y, image = blockIdx.x * TOGETHER;
    float sums[4][OF_COARSE];
#pragma unroll
    for (int c = 0; c < OF_COARSE; c++) {
        float start = bias ? bias[member * COARSE + first + c] : 0.0f;
#pragma unroll
        for (int j = 0; j < 4; j++) sums[j][c] = start;
    }
    for (int chunk = 0; chunk < FINE; chunk += FINE_CHUNK) {
        __syncthreads();
        for (int i = thread; i < TOGETHER * FINE_CHUNK * ROWS * ROWS; i += threads) {
            int column = i % ROWS, row = i / ROWS % ROWS;
            int f = i / (ROWS * ROWS) % FINE_CHUNK, which = i / (ROWS * ROWS * FINE_CHUNK);
            int Y = row - 2, X = column - 2;
            bool inside = Y >= 0 && Y < LARGE && X >= 0 && X < LARGE && image + which < images;
            long at = (((long)member * FINE + chunk + f) * images + image + which) * LARGE + Y;
            tile[which][f][row][column] = inside ? value(fine[at * LARGE + X]) : 0.0f;
        }
        for (int i = thread; i < COARSE * FINE_CHUNK * 25; i += threads) {
            int c = i / (FINE_CHUNK * 25), tap = i % (FINE_CHUNK * 25);
            taps[tap][c] = weight[((long)(member * COARSE + c) * FINE + chunk) * 25 + tap];
        }
        __syncthreads();
        for (int f = 0; f < FINE_CHUNK; f++)
#pragma unroll
            for (int ky = 0; ky < 5; ky++) {
                float window[11];
#pragma unroll
                for (int i = 0; i < 11; i++) window[i] = tile[own][f][2 * y + ky][2 * x + i];
#pragma unroll
                for (int kx = 0; kx < 5; kx++) {
                    float by[OF_COARSE];
#pragma unroll
                    for (int c = 0; c < OF_COARSE; c += 4)
                        get4(&taps[f * 25 + ky * 5 + kx][first + c], by + c);
#pragma unroll
                    for (int j = 0; j < 4; j++)
#pragma unroll
                        for (int c = 0; c < OF_COARSE; c++) sums[j][c] += window[2 * j + kx] * by[c];
                }
            }
    }
    if (image + own >= images) return;
#pragma unroll
    for (int c = 0; c < OF_COARSE; c++) {
        float made[4] = {sums[0][c], sums[1][c], sums[2][c], sums[3][c]};
        long at = ((long)member * COARSE + first + c) * images + image + own;
        put4(coarse + (at * SIDE + y) * SIDE + x, made);
    }
}

// ---- the transposed convolution: grid (images / TOGETHER, S), block FOURS FINE_GROUPS TOGETHER
constexpr int COARSE_CHUNK = SIDE == 8 || SIDE == 16 ? 8 : 4;
constexpr int NEAR = SIDE + 2, NEAR_PITCH = SIDE + 3;

extern "C" __global__ void __launch_bounds__(FOURS * FINE_GROUPS * TOGETHER, 2)
refine(const Map *coarse, const float *weight, const float *bias, Map *fine, int images) {
    __shared__ float tile[TOGETHER][COARSE_CHUNK][NEAR][NEAR_PITCH];
    __shared__ __align__(16) float taps[COARSE_CHUNK][25][FINE_PADDED];
    const int thread = threadIdx.x, threads = FOURS * FINE_GROUPS * TOGETHER;
    const int four = thread % FOURS, own = thread / FOURS % TOGETHER;
    const int first = thread / (FOURS * TOGETHER) * 4;
    const int y = four / (SIDE / 4), x = four % (SIDE / 4) * 4;
    const int member = blockIdx.y, image = blockIdx.x * TOGETHER;
    float sums[2][OF_FINE][8];
#pragma unroll
    for (int f = 0; f < OF_FINE; f++) {
        float start = bias ? bias[member * FINE + first + f] : 0.0f;
#pragma unroll
        for (int j = 0; j < 8; j++) sums[0][f][j] = sums[1][f][j] = start;
    }
    for (int chunk = 0; chunk < COARSE; chunk += COARSE_CHUNK) {
        __syncthreads();
        for (int i = thread; i < TOGETHER * COARSE_CHUNK * NEAR * NEAR; i += threads) {
            int column = i % NEAR, row = i / NEAR % NEAR;
            int c = i / (NEAR * NEAR) % COARSE_CHUNK, which = i / (NEAR * NEAR * COARSE_CHUNK);
            int Y = row - 1, X = column - 1;
            bool inside = Y >= 0 && Y < SIDE && X >= 0 && X < SIDE && image + which < images;
            long at = (((long)member * COARSE + chunk + c) * images + image + which) * SIDE + Y;
            tile[which][c][row][column] = inside ? value(coarse[at * SIDE + X]) : 0.0f;
        }
        for (int i = thread; i < COARSE_CHUNK * FINE * 25; i += threads) {
            int c = i / (FINE * 25), f = i / 25 % FINE, tap = i % 25;
            taps[c][tap][f] = weight[(long)(member * COARSE + chunk) * FINE * 25 + i];
        }
        __syncthreads();
        for (int c = 0; c < COARSE_CHUNK; c++) {
            float near[3][6];
#pragma unroll
            for (int dy = 0; dy < 3; dy++)
#pragma unroll
                for (int i = 0; i < 6; i++) near[dy][i] = tile[own][c][y + dy][x + i];
#pragma unroll
            for (int ky = 0; ky < 5; ky++)
#pragma unroll
                for (int kx = 0; kx < 5; kx++) {
                    const int py = ky % 2, px = kx % 2;  // of the pixel of the large map
                    const int dy = (4 + py - ky) / 2, dx = (4 + px - kx) / 2;
                    float by[4];
                    get4(&taps[c][ky * 5 + kx][first], by);
#pragma unroll
                    for (int f = 0; f < OF_FINE; f++)
#pragma unroll
                        for (int j = 0; j < 4; j++)
                            sums[py][f][2 * j + px] += near[dy][j + dx] * by[f];
                }
        }
    }
    if (image + own >= images) return;
#pragma unroll
    for (int f = 0; f < OF_FINE; f++)
#pragma unroll
        for (int py = 0; py < 2; py++) {
            long at = ((long)member * FINE + first + f) * images + image + own;
            Map *row = fine + (at * LARGE + 2 * y + py) * LARGE + 2 * x;
            put4(row, sums[py][f]);
            put4(row + 4, sums[py][f] + 4);
        }
}

// ---- the gradient of the weights, (S, parts, COARSE, FINE, 5, 5), each part that of `each` images
// grid (parts, S, FINE / FINE_PART), block SPLIT UNITS; a unit is a tap's row and 12 channels
constexpr int FINE_PART = FINE < 4 ? FINE : 4;
constexpr int BAND = SIDE < 8 ? SIDE : 8;  // rows of the small map in shared memory
constexpr int PIECES = SIDE / 16 > 1 ? SIDE / 16 : 1, PIECE = SIDE / PIECES;  // of a row
constexpr int SPLIT = SIDE >= 32 ? 16 : SIDE >= 16 ? 8 : SIDE / 2;
constexpr int UNITS = COARSE_GROUPS * FINE_PART * 5;
constexpr int BAND_ROWS = 2 * BAND + 3;
constexpr int FINE_FLOATS = (FINE_PART * BAND_ROWS * PITCH + 3) / 4 * 4;
constexpr int COARSE_FLOATS = BAND * SIDE * COARSE, SUM_FLOATS = SPLIT * UNITS * OF_COARSE;
constexpr int FLOATS =
    FINE_FLOATS + COARSE_FLOATS > SUM_FLOATS ? FINE_FLOATS + COARSE_FLOATS : SUM_FLOATS;

extern "C" __global__ void __launch_bounds__(SPLIT * UNITS, SIDE >= 16 ? 2 : 1)
by_weight(const Map *coarse, const Map *fine, float *slopes, int images, int each) {
    __shared__ __align__(16) float shared[FLOATS];
    float *tile = shared, *rows = shared + FINE_FLOATS;
    const int thread = threadIdx.x, threads = SPLIT * UNITS;
    const int unit = thread % UNITS, split = thread / UNITS;
    const int ky = unit % 5, f = unit / 5 % FINE_PART, first = unit / (5 * FINE_PART) * OF_COARSE;
    const int member = blockIdx.y, start = blockIdx.z * FINE_PART;
    float sums[5][OF_COARSE] = {};
    for (int image = blockIdx.x * each; image < smaller(images, (blockIdx.x + 1) * each); image++)
        for (int top = 0; top < SIDE; top += BAND) {
            __syncthreads();
            for (int i = thread; i < FINE_PART * BAND_ROWS * ROWS; i += threads) {
                int column = i % ROWS, row = i / ROWS % BAND_ROWS, g = i / (ROWS * BAND_ROWS);
                int Y = 2 * top + row - 2, X = column - 2;
                bool inside = Y >= 0 && Y < LARGE && X >= 0 && X < LARGE;
                long at = (((long)member * FINE + start + g) * images + image) * LARGE + Y;
                tile[(g * BAND_ROWS + row) * PITCH + column] =
                    inside ? value(fine[at * LARGE + X]) : 0.0f;
            }
            for (int i = thread; i < COARSE * BAND * SIDE; i += threads) {
                int pixel = i % (BAND * SIDE), c = i / (BAND * SIDE);
                long at = ((long)member * COARSE + c) * images + image;
                rows[pixel * COARSE + c] = value(coarse[at * PIXELS + top * SIDE + pixel]);
            }
            __syncthreads();
            for (int piece = split; piece < BAND * PIECES; piece += SPLIT) {
                const int y = piece / PIECES, x = piece % PIECES * PIECE;
                const float *line = tile + (f * BAND_ROWS + 2 * y + ky) * PITCH + 2 * x;
                const float *pixels = rows + (y * SIDE + x) * COARSE + first;
                float window[5] = {0, 0, line[0], line[1], line[2]};
#pragma unroll
                for (int i = 0; i < PIECE; i++) {
                    window[0] = window[2], window[1] = window[3], window[2] = window[4];
                    window[3] = line[2 * i + 3], window[4] = line[2 * i + 4];
                    float by[OF_COARSE];
#pragma unroll
                    for (int c = 0; c < OF_COARSE; c += 4) get4(pixels + i * COARSE + c, by + c);
#pragma unroll
                    for (int kx = 0; kx < 5; kx++)
#pragma unroll
                        for (int c = 0; c < OF_COARSE; c++) sums[kx][c] += window[kx] * by[c];
                }
            }
        }
#pragma unroll
    for (int kx = 0; kx < 5; kx++) {
        __syncthreads();
#pragma unroll
        for (int c = 0; c < OF_COARSE; c++) shared[thread * OF_COARSE + c] = sums[kx][c];
        __syncthreads();
        for (int i = thread; i < UNITS * OF_COARSE; i += threads) {
            float sum = 0;
            for (int s = 0; s < SPLIT; s++) sum += shared[s * UNITS * OF_COARSE + i];
            int u = i / OF_COARSE, c = u / (5 * FINE_PART) * OF_COARSE + i % OF_COARSE;
            long at = ((long)member * gridDim.x + blockIdx.x) * COARSE + c;
            at = (at * FINE + start + u / 5 % FINE_PART) * 25 + u % 5 * 5 + kx;
            slopes[at] = sum;
        }
    }
}
