// A ReLU and then batch normalisation of stacked networks, by the statistics of each member's batch.
//
// `maps` normalises channels whose `count` values lie together, a block for each. `rows` normalises
// rows (S, images, width), a thread for each unit. The names with `_slopes` are the gradients.
// Statistics and sums are in float32: first the mean, then the squares of the distances from it.

#include "stacked_maps.cuh"

static __device__ float above(float x) { return x > 0 ? x : x == x ? 0 : x; }  // keeps NaN

// The sum over all threads of a block, the same in each.
static __device__ float total(float own, float *shared) {
    __syncthreads();
    shared[threadIdx.x] = own;
    for (int half = blockDim.x / 2; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    __syncthreads();
    return shared[0];
}

static __device__ void track(float *running_mean, float *running_var, int unit, float mean,
                             float squares, int count, float momentum) {
    running_mean[unit] += momentum * (mean - running_mean[unit]);
    running_var[unit] += momentum * (squares / (count - 1) - running_var[unit]);
}

extern "C" __global__ void __launch_bounds__(512)
maps(const Map *inputs, const float *weight, const float *bias, float *running_mean,
     float *running_var, Map *outputs, float *means, float *scales, int count, float epsilon,
     float momentum) {
    __shared__ float shared[512];
    const int channel = blockIdx.x;
    inputs += (long)channel * count, outputs += (long)channel * count;
    float x[4], sum = 0, squares = 0;
    for (int i = 4 * threadIdx.x; i < count; i += 4 * blockDim.x) {
        take4(inputs + i, x);
        sum += (above(x[0]) + above(x[1])) + (above(x[2]) + above(x[3]));
    }
    const float mean = total(sum, shared) / count;
    for (int i = 4 * threadIdx.x; i < count; i += 4 * blockDim.x) {
        take4(inputs + i, x);
        for (int j = 0; j < 4; j++) squares += (above(x[j]) - mean) * (above(x[j]) - mean);
    }
    squares = total(squares, shared);
    const float scale = rsqrtf(squares / count + epsilon);
    const float times = scale * weight[channel], plus = bias[channel];
    for (int i = 4 * threadIdx.x; i < count; i += 4 * blockDim.x) {
        take4(inputs + i, x);
        for (int j = 0; j < 4; j++) x[j] = (above(x[j]) - mean) * times + plus;
        put4(outputs + i, x);
    }
    if (threadIdx.x == 0) {
        means[channel] = mean, scales[channel] = scale;
        track(running_mean, running_var, channel, mean, squares, count, momentum);
    }
}

extern "C" __global__ void __launch_bounds__(512)
maps_slopes(const Map *inputs, const Map *slopes, const float *weight, const float *means,
            const float *scales, Map *by_inputs, float *by_weight, float *by_bias, int count) {
    __shared__ float shared[512];
    const int channel = blockIdx.x;
    inputs += (long)channel * count, slopes += (long)channel * count;
    by_inputs += (long)channel * count;
    const float mean = means[channel], scale = scales[channel];
    float x[4], slope[4], plain = 0, times = 0;
    for (int i = 4 * threadIdx.x; i < count; i += 4 * blockDim.x) {
        take4(inputs + i, x), take4(slopes + i, slope);
        plain += (slope[0] + slope[1]) + (slope[2] + slope[3]);
        for (int j = 0; j < 4; j++) times += slope[j] * ((above(x[j]) - mean) * scale);
    }
    plain = total(plain, shared), times = total(times, shared);
    const float factor = weight[channel] * scale;
    for (int i = 4 * threadIdx.x; i < count; i += 4 * blockDim.x) {
        take4(inputs + i, x), take4(slopes + i, slope);
        for (int j = 0; j < 4; j++) {
            float normal = (above(x[j]) - mean) * scale;
            slope[j] -= plain / count + normal * (times / count);
            slope[j] = x[j] > 0 ? factor * slope[j] : 0;
        }
        put4(by_inputs + i, slope);
    }
    if (threadIdx.x == 0) by_weight[channel] = times, by_bias[channel] = plain;
}

static __device__ Map stored(float x) {
#ifdef HALF
    return rounded(x);
#else
    return x;
#endif
}

extern "C" __global__ void __launch_bounds__(128)
rows(const Map *inputs, const float *weight, const float *bias, float *running_mean,
     float *running_var, Map *outputs, float *means, float *scales, int count, int width,
     float epsilon, float momentum) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x, unit = blockIdx.y * width + column;
    if (column >= width) return;
    inputs += (long)blockIdx.y * count * width + column;
    outputs += (long)blockIdx.y * count * width + column;
    float sum = 0, squares = 0;
#pragma unroll 8
    for (int i = 0; i < count; i++) sum += above(value(inputs[(long)i * width]));
    const float mean = sum / count;
#pragma unroll 8
    for (int i = 0; i < count; i++) {
        float from = above(value(inputs[(long)i * width])) - mean;
        squares += from * from;
    }
    const float scale = rsqrtf(squares / count + epsilon);
    const float times = scale * weight[unit], plus = bias[unit];
#pragma unroll 8
    for (int i = 0; i < count; i++)
        outputs[(long)i * width] =
            stored((above(value(inputs[(long)i * width])) - mean) * times + plus);
    means[unit] = mean, scales[unit] = scale;
    track(running_mean, running_var, unit, mean, squares, count, momentum);
}

extern "C" __global__ void __launch_bounds__(128)
rows_slopes(const Map *inputs, const Map *slopes, const float *weight, const float *means,
            const float *scales, Map *by_inputs, float *by_weight, float *by_bias, int count,
            int width) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x, unit = blockIdx.y * width + column;
    if (column >= width) return;
    const long from = (long)blockIdx.y * count * width + column;
    inputs += from, slopes += from, by_inputs += from;
    const float mean = means[unit], scale = scales[unit];
    float plain = 0, times = 0;
#pragma unroll 8
    for (int i = 0; i < count; i++) {
        float slope = value(slopes[(long)i * width]);
        plain += slope;
        times += slope * ((above(value(inputs[(long)i * width])) - mean) * scale);
    }
    const float factor = weight[unit] * scale;
#pragma unroll 8
    for (int i = 0; i < count; i++) {
        float x = value(inputs[(long)i * width]), normal = (above(x) - mean) * scale;
        float slope = value(slopes[(long)i * width]) - plain / count - normal * (times / count);
        by_inputs[(long)i * width] = stored(x > 0 ? factor * slope : 0);
    }
    by_weight[unit] = times, by_bias[unit] = plain;
}
