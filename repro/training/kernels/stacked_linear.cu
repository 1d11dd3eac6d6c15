// Hidden layers of stacked networks for batches of IMAGES <= 32 rows, in float32.
//
// Weights are (S, outputs, inputs), rows (S, IMAGES, width). So few rows are read quickly; what
// takes time is to read the weights, which each function does once.

constexpr int ROWS = (IMAGES + 3) / 4 * 4, WIDE = 64, CHUNK = 32, WARPS = 4;

static __device__ void get4(const float *from, float *to) {
    float4 four = *(const float4 *)from;
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
}

// made (S, IMAGES, width) = rows (S, IMAGES, depth) times the weights; each warp sums a quarter of
// the depth. BACKWARD: weights are (S, depth, width), else (S, width, depth).
template <bool BACKWARD>
static __device__ void product(const float *rows, const float *weight, const float *bias,
                               float *made, int depth, int width) {
    __shared__ float tile[CHUNK][WIDE + 1];
    __shared__ __align__(16) float own[CHUNK][ROWS];
    __shared__ float sums[WARPS][IMAGES][WIDE];
    const int member = blockIdx.y, first = blockIdx.x * WIDE;
    const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
    rows += (long)member * IMAGES * depth, made += (long)member * IMAGES * width;
    weight += (long)member * depth * width;
    float left[ROWS] = {}, right[ROWS] = {};
    for (int chunk = 0; chunk < depth; chunk += CHUNK) {
        __syncthreads();
        for (int i = thread; i < CHUNK * WIDE; i += 32 * WARPS) {
            int k = BACKWARD ? i / WIDE : i % CHUNK, n = BACKWARD ? i % WIDE : i / CHUNK;
            bool inside = chunk + k < depth && first + n < width;
            long at = BACKWARD ? (long)(chunk + k) * width + first + n
                               : (long)(first + n) * depth + chunk + k;
            tile[k][n] = inside ? weight[at] : 0.0f;
        }
        for (int i = thread; i < CHUNK * ROWS; i += 32 * WARPS) {
            int k = i % CHUNK, row = i / CHUNK;
            bool inside = chunk + k < depth && row < IMAGES;
            own[k][row] = inside ? rows[(long)row * depth + chunk + k] : 0.0f;
        }
        __syncthreads();
#pragma unroll 4
        for (int k = warp * (CHUNK / WARPS); k < (warp + 1) * (CHUNK / WARPS); k++) {
            float a = tile[k][lane], b = tile[k][lane + 32];
#pragma unroll
            for (int row = 0; row < ROWS; row += 4) {
                float x[4];
                get4(&own[k][row], x);
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    left[row + j] += x[j] * a;
                    right[row + j] += x[j] * b;
                }
            }
        }
    }
#pragma unroll
    for (int row = 0; row < IMAGES; row++)
        sums[warp][row][lane] = left[row], sums[warp][row][lane + 32] = right[row];
    __syncthreads();
    for (int i = thread; i < IMAGES * WIDE; i += 32 * WARPS) {
        int row = i / WIDE, n = i % WIDE;
        if (first + n >= width) continue;
        float sum = bias ? bias[member * width + first + n] : 0.0f;
        for (int part = 0; part < WARPS; part++) sum += sums[part][row][n];
        made[(long)row * width + first + n] = sum;
    }
}

extern "C" __global__ void __launch_bounds__(32 * WARPS)
forward(const float *rows, const float *weight, const float *bias, float *made, int depth,
        int width) {
    product<false>(rows, weight, bias, made, depth, width);
}

extern "C" __global__ void __launch_bounds__(32 * WARPS)
backward(const float *rows, const float *weight, const float *bias, float *made, int depth,
         int width) {
    product<true>(rows, weight, bias, made, depth, width);
}

// slopes (S, outputs, inputs): a thread has 4 x 4 of a block's 64 x 64.
extern "C" __global__ void __launch_bounds__(256)
by_weight(const float *rows, const float *slope, float *slopes, int inputs, int outputs) {
    __shared__ __align__(16) float x[IMAGES][WIDE], y[IMAGES][WIDE];
    const int member = blockIdx.z, column = blockIdx.x * WIDE, line = blockIdx.y * WIDE;
    rows += (long)member * IMAGES * inputs, slope += (long)member * IMAGES * outputs;
    slopes += (long)member * inputs * outputs;
    for (int i = threadIdx.x; i < IMAGES * WIDE; i += 256) {
        int row = i / WIDE, n = i % WIDE;
        x[row][n] = column + n < inputs ? rows[(long)row * inputs + column + n] : 0.0f;
        y[row][n] = line + n < outputs ? slope[(long)row * outputs + line + n] : 0.0f;
    }
    __syncthreads();
    const int across = threadIdx.x % 16 * 4, down = threadIdx.x / 16 * 4;
    float sums[4][4] = {};
#pragma unroll 4
    for (int row = 0; row < IMAGES; row++) {
        float a[4], b[4];
        get4(&x[row][across], a), get4(&y[row][down], b);
#pragma unroll
        for (int j = 0; j < 4; j++)
#pragma unroll
            for (int i = 0; i < 4; i++) sums[j][i] += b[j] * a[i];
    }
    if (column + across >= inputs) return;
#pragma unroll
    for (int j = 0; j < 4; j++) {
        if (line + down + j >= outputs) return;
        float4 four;
        four.x = sums[j][0], four.y = sums[j][1], four.z = sums[j][2], four.w = sums[j][3];
        *(float4 *)(slopes + (long)(line + down + j) * inputs + column + across) = four;
    }
}
