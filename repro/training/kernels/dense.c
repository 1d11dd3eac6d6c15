/* A step of Adam, in which the gradients by the weights of hidden layers are made where they are
 * used: they never go through memory.
 *
 * Every element of such a gradient is one chain of fused products and sums over the images, in
 * their order, whatever the width of vectors. The bits are those of oneDNN's product, up to 512
 * images, and of torch's fused Adam; `dense.py` compares before it relies on it.
 */
#include "vectors.h"

#define OUTPUTS (WIDTH == 8 ? 4 : 8) /* rows of a gradient that are made together */
#define INPUTS 3                     /* vectors of each row at a time */
#define TILE (INPUTS * WIDTH)
#define LINE 16                      /* floats of a line of the cache */
#define GROUP_OF 32                  /* so many images more, and one more block of rows at a time */

/* A parameter with its moments, the number of its steps, and its gradient: given, or, if NULL, that
 * of a hidden layer's weights, slope[images][outputs]^T * rows[images][inputs]. */
typedef struct {
    float *value, *mean, *square, *steps;
    const float *gradient, *slope, *rows;
    long size, images, inputs;
} parameter;

typedef struct {
    double rate, beta1, beta2, epsilon;
} adam_settings;

/* What a step multiplies by, each rounded as torch rounds it. */
typedef struct {
    float towards, beta2, share, root, epsilon, rate;
} factors;

static factors of_step(const adam_settings *s, double step) {
    return (factors){
        .towards = (float)(1 - s->beta1),
        .beta2 = (float)s->beta2,
        .share = (float)(1 - s->beta2),
        .root = (float)sqrt(1 - pow(s->beta2, step)),
        .epsilon = (float)s->epsilon,
        .rate = (float)-(s->rate / (1 - pow(s->beta1, step))),
    };
}

/* The order of operations, and which product is fused, are those of torch's FusedAdamKernel.cpp as
 * its compiler made it: vectors of eight, and otherwise for what is left over. */
INLINE void update(float *restrict value, float *restrict mean, float *restrict square,
                   const float *restrict gradient, long size, factors f) {
    const long even = size - size % 8;
    for (long i = 0; i < even; i++) {
        const float g = gradient[i];
        mean[i] = fmaf(f.towards, g - mean[i], mean[i]);
        square[i] = fmaf(f.share * g, g, square[i] * f.beta2);
        value[i] += f.rate * mean[i] / (sqrtf(square[i]) / f.root + f.epsilon);
    }
    for (long i = even; i < size; i++) {
        const float g = gradient[i];
        mean[i] = fmaf(f.towards, g - mean[i], mean[i]);
        square[i] = fmaf(square[i], f.beta2, f.share * g * g);
        value[i] += f.rate * mean[i] / (sqrtf(square[i]) / f.root + f.epsilon);
    }
}

/* sum[a][b] += the chain over k of factor[k fk + a fa] * values[k vk + b WIDTH]. What the next call
 * reads of a weight is fetched meanwhile, from `ahead` if it is not NULL: factors, if fk is 1, else
 * values. */
INLINE void chain(vec sum[OUTPUTS][INPUTS], int vectors, const float *factor, long fk, long fa,
                  const float *values, long vk, long count, const float *ahead) {
    for (long k = 0; k < count; k++) {
        vec value[INPUTS];
        UNROLL for (int b = 0; b < vectors; b++)
            memcpy(&value[b], values + k * vk + b * WIDTH, sizeof(vec));
        if (ahead && fk == 1 && k % LINE < OUTPUTS)
            __builtin_prefetch(ahead + k % LINE * fa + k / LINE * LINE, 0, 0);
        if (ahead && fk != 1)
            for (int b = 0; b < TILE; b += LINE) __builtin_prefetch(ahead + k * vk + b, 0, 0);
        UNROLL for (int a = 0; a < OUTPUTS; a++) {
            const vec one = splat(factor[k * fk + a * fa]);
            UNROLL for (int b = 0; b < vectors; b++)
                sum[a][b] = multiply_add(one, value[b], sum[a][b]);
        }
    }
}

/* The same from 0, for sums of more than `most` terms the sum of the chains of so many each. */
INLINE void chains(vec total[OUTPUTS][INPUTS], int vectors, const float *factor, long fk, long fa,
                   const float *values, long vk, long count, long most, const float *ahead) {
    memset(total, 0, sizeof(vec) * OUTPUTS * INPUTS);
    chain(total, vectors, factor, fk, fa, values, vk, count < most ? count : most, ahead);
    for (long k = most; k < count; k += most) {
        vec sum[OUTPUTS][INPUTS] = {0};
        chain(sum, vectors, factor + k * fk, fk, fa, values + k * vk, vk,
              count - k < most ? count - k : most, ahead ? ahead + k * (fk == 1 ? 1 : vk) : NULL);
        UNROLL for (int a = 0; a < OUTPUTS; a++)
            UNROLL for (int b = 0; b < vectors; b++) total[a][b] += sum[a][b];
    }
}

static long whole(long count, long of) { return (count + of - 1) / of * of; }

/* packed[tile][n][width] = from[n][columns], the last tile filled up with zeros. */
static void pack(const float *from, long images, long columns, long width, float *packed) {
    for (long start = 0; start < columns; start += width) {
        const long there = columns - start < width ? columns - start : width;
        for (long n = 0; n < images; n++, packed += width) {
            memcpy(packed, from + n * columns + start, there * sizeof(float));
            memset(packed + there, 0, (width - there) * sizeof(float));
        }
    }
}

/* out[a][i] = the chain over n of slope[n][a] * rows[n][i], for OUTPUTS rows and TILE columns. */
INLINE void product_tile(const float *slope, const float *rows, long images, float *out,
                         long stride) {
    vec sum[OUTPUTS][INPUTS] = {0};
    chain(sum, INPUTS, slope, OUTPUTS, 1, rows, TILE, images, NULL);
    UNROLL for (int a = 0; a < OUTPUTS; a++)
        UNROLL for (int b = 0; b < INPUTS; b++)
            memcpy(out + a * stride + b * WIDTH, &sum[a][b], sizeof(vec));
}

/* One parameter whose gradient is a product; how large `scratch` is stands in dense.py. */
static void update_by_product(const parameter *p, factors f, float *scratch) {
    const long inputs = p->inputs, outputs = p->size / inputs, images = p->images;
    float *rows = scratch, *slope = rows + whole(inputs, TILE) * images;
    float *gradient = slope + whole(outputs, OUTPUTS) * images;
    const long group = 8 * (1 + images / GROUP_OF); /* elements are left over in the last one alone */
    pack(p->rows, images, inputs, TILE, rows);
    pack(p->slope, images, outputs, OUTPUTS, slope);
    for (long o = 0; o < outputs; o += group) {
        const long end = o + group < outputs ? o + group : outputs, at = o * inputs;
        /* From the last tile to the first: what one writes beyond a row is written again. */
        for (long i = whole(inputs, TILE) - TILE; i >= 0; i -= TILE)
            for (long a = o; a < end; a += OUTPUTS)
                product_tile(slope + a * images, rows + i * images, images,
                             gradient + (a - o) * inputs + i, inputs);
        update(p->value + at, p->mean + at, p->square + at, gradient, (end - o) * inputs, f);
    }
}

/* One step of Adam for all parameters. */
void adam(const parameter *parameters, long count, const adam_settings *settings, float *scratch) {
    for (const parameter *p = parameters; p < parameters + count; p++) {
        const factors f = of_step(settings, *p->steps += 1);
        if (p->gradient)
            update(p->value, p->mean, p->square, p->gradient, p->size, f);
        else
            update_by_product(p, f, scratch);
    }
}

/* out[n][o] = bias[o] + the chains of a layer for `vectors` of images from the first. */
INLINE void layer_strips(int vectors, const float *rows, const float *weight, const float *bias,
                         float *out, long images, long inputs, long outputs, long most,
                         float *scratch) {
    const long lanes = vectors * WIDTH, there = images < lanes ? images : lanes;
    for (long k = 0; k < inputs; k++)
        for (long n = 0; n < lanes; n++)
            scratch[k * lanes + n] = n < there ? rows[n * inputs + k] : 0;
    for (long start = 0; start < outputs; start += OUTPUTS) {
        const long o = start + OUTPUTS < outputs ? start : outputs - OUTPUTS;
        const float *own = weight + o * inputs;
        const float *next = start + 2 * OUTPUTS < outputs ? own + OUTPUTS * inputs : own;
        vec total[OUTPUTS][INPUTS];
        float made[OUTPUTS][TILE];
        chains(total, vectors, own, 1, inputs, scratch, lanes, inputs, most, next);
        UNROLL for (int a = 0; a < OUTPUTS; a++)
            UNROLL for (int b = 0; b < vectors; b++)
                memcpy(made[a] + b * WIDTH, &total[a][b], sizeof(vec));
        for (long n = 0; n < there; n++)
            UNROLL for (int a = 0; a < OUTPUTS; a++)
                out[n * outputs + o + a] = made[a][n] + bias[o + a];
    }
}

/* A hidden layer: out[images][outputs] = rows[images][inputs] * weight[outputs][inputs]^T + bias,
 * each sum in chains of at most `most` terms. At least OUTPUTS outputs. `scratch` holds TILE
 * floats for each input. */
void layer(const float *rows, const float *weight, const float *bias, float *out, long images,
           long inputs, long outputs, long most, float *scratch) {
    for (long n = 0; n < images; n += TILE) {
        const long left = images - n;
        const float *from = rows + n * inputs;
        float *to = out + n * outputs;
        if (left > 2 * WIDTH)
            layer_strips(3, from, weight, bias, to, left, inputs, outputs, most, scratch);
        else if (left > WIDTH)
            layer_strips(2, from, weight, bias, to, left, inputs, outputs, most, scratch);
        else
            layer_strips(1, from, weight, bias, to, left, inputs, outputs, most, scratch);
    }
}

/* Its gradient by the rows: out[images][inputs] = slope[images][outputs] * weight. At least TILE
 * inputs. `scratch` holds outputs floats for each image, these rounded up to OUTPUTS. */
void layer_backward(const float *slope, const float *weight, float *out, long images, long inputs,
                    long outputs, long most, float *scratch) {
    for (long n = 0; n < images; n++)
        for (long o = 0; o < outputs; o++)
            scratch[(n / OUTPUTS * outputs + o) * OUTPUTS + n % OUTPUTS] = slope[n * outputs + o];
    for (long start = 0; start < inputs; start += TILE) {
        const long i = start + TILE < inputs ? start : inputs - TILE;
        for (long n = 0; n < images; n += OUTPUTS) {
            vec total[OUTPUTS][INPUTS];
            chains(total, INPUTS, scratch + n * outputs, OUTPUTS, 1, weight + i, inputs, outputs,
                   most, n == 0 ? weight + i + TILE : NULL);
            for (long a = 0; a < OUTPUTS && n + a < images; a++)
                for (int b = 0; b < INPUTS; b++)
                    memcpy(out + (n + a) * inputs + i + b * WIDTH, &total[a][b], sizeof(vec));
        }
    }
}

/* Batch normalisation of a hidden layer's ReLU in training; the arithmetic is torch's. */
typedef struct {
    const float *gamma, *beta;
    float *running_mean, *running_variance, *mean, *inverse, *scratch; /* 2 floats a feature */
    double momentum, epsilon;
} row_norm;

/* values[images][features] become those of the ReLU; out[images][features]. */
void normalise_rows(float *restrict values, float *restrict out, long images, long features,
                    const row_norm *norm) {
    float *restrict mean = norm->mean, *restrict inverse = norm->inverse;
    float *restrict scale = norm->scratch, *restrict shift = scale + features;
    const float *restrict gamma = norm->gamma, *restrict beta = norm->beta;
    float *restrict running_mean = norm->running_mean, *restrict running = norm->running_variance;
    const float momentum = (float)norm->momentum, rest = (float)(1 - norm->momentum);
    memset(scale, 0, 2 * features * sizeof(float));
    for (long n = 0; n < images; n++)
        for (long c = 0; c < features; c++) {
            const float v = values[n * features + c], positive = v <= 0 ? 0 : v;
            values[n * features + c] = positive;
            scale[c] += positive;
        }
    for (long c = 0; c < features; c++) mean[c] = scale[c] / (float)images;
    for (long n = 0; n < images; n++)
        for (long c = 0; c < features; c++) {
            const float apart = values[n * features + c] - mean[c];
            shift[c] = fmaf(apart, apart, shift[c]);
        }
    for (long c = 0; c < features; c++) {
        running_mean[c] = momentum * mean[c] + rest * running_mean[c];
        running[c] = fmaf(momentum, shift[c] / (float)(images - 1), rest * running[c]);
        inverse[c] = (float)(1 / sqrt((double)(shift[c] / (float)images) + norm->epsilon));
        scale[c] = inverse[c] * gamma[c];
        shift[c] = fmaf(-mean[c], scale[c], beta[c]);
    }
    for (long n = 0; n < images; n++)
        for (long c = 0; c < features; c++)
            out[n * features + c] = fmaf(values[n * features + c], scale[c], shift[c]);
}

/* The gradient by what the ReLU was given, by gamma and by beta. */
void normalise_rows_backward(const float *restrict slope, const float *restrict values,
                             float *restrict out, float *restrict by_gamma,
                             float *restrict by_beta, long images, long features,
                             const row_norm *norm) {
    const float *restrict mean = norm->mean, *restrict inverse = norm->inverse;
    const float *restrict gamma = norm->gamma;
    const float count = (float)images;
    float *restrict part = norm->scratch, *restrict level = part + features;
    memset(part, 0, features * sizeof(float));
    memset(by_beta, 0, features * sizeof(float));
    for (long n = 0; n < images; n++)
        for (long c = 0; c < features; c++) {
            const long i = n * features + c;
            by_beta[c] += slope[i];
            part[c] = fmaf(values[i] - mean[c], slope[i], part[c]);
        }
    for (long c = 0; c < features; c++) {
        by_gamma[c] = part[c] * inverse[c];
        part[c] = part[c] * inverse[c] * inverse[c] / count;
        level[c] = by_beta[c] / count;
    }
    for (long n = 0; n < images; n++)
        for (long c = 0; c < features; c++) {
            const long i = n * features + c;
            const float apart = values[i] - mean[c];
            const float by = fmaf(-apart, part[c], slope[i] - level[c]) * inverse[c] * gamma[c];
            out[i] = values[i] <= 0 ? 0 : by;
        }
}

/* Sampled latents, and the summands of the KL term of images that have one: `formulas.py` in its
 * own order, each operation rounded. `deviation` is what multiplies the noise, `growth` is
 * exp(logvar) - 1. Shapes [images][latents]; has[images]. */
void latents(const float *restrict mean, const float *restrict logvar, const float *restrict noise,
             const float *restrict deviation, const float *restrict growth, const uint8_t *has,
             float *restrict sampled, float *restrict kl, long images, long latents) {
    for (long n = 0, i = 0; n < images; n++)
        for (const long end = i + latents; i < end; i++) {
            sampled[i] = mean[i] + deviation[i] * noise[i];
            kl[i] = has[n] ? 0.5f * (mean[i] * mean[i] + growth[i] - logvar[i]) : 0;
        }
}

/* Their gradients, given those of the latents and of the KL term of each image, or NULL for 0;
 * `share` is of logvar in the exponent of the deviation. */
void latents_backward(const float *restrict mean, const float *restrict noise,
                      const float *restrict deviation, const float *restrict growth,
                      const uint8_t *has, const float *restrict by_sampled,
                      const float *restrict by_kl, float *restrict by_mean,
                      float *restrict by_logvar, long images, long latents, double share) {
    for (long n = 0, i = 0; n < images; n++) {
        const int counts = by_kl && has[n];
        const float slope = counts ? by_kl[n] * 0.5f : 0;
        for (const long end = i + latents; i < end; i++) {
            const float of_mean = counts ? slope * (2 * mean[i]) : 0;
            const float of_logvar = counts ? slope * (growth[i] + 1) - slope : 0;
            by_mean[i] = by_sampled ? by_sampled[i] + of_mean : of_mean;
            by_logvar[i] = of_logvar;
            if (by_sampled)
                by_logvar[i] += by_sampled[i] * noise[i] * deviation[i] * (float)share;
        }
    }
}
