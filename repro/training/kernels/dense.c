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

/* out[a][i] = the chain over n of slope[n][a] * rows[n][i], for OUTPUTS rows and TILE columns. */
INLINE void product_tile(const float *slope, const float *rows, long images, float *out,
                         long stride) {
    vec sum[OUTPUTS][INPUTS];
    UNROLL for (int a = 0; a < OUTPUTS; a++)
        UNROLL for (int b = 0; b < INPUTS; b++) sum[a][b] = (vec){0};
    for (long n = 0; n < images; n++) {
        vec row[INPUTS];
        UNROLL for (int b = 0; b < INPUTS; b++) row[b] = load(rows + n * TILE + b * WIDTH);
        UNROLL for (int a = 0; a < OUTPUTS; a++) {
            const vec factor = splat(slope[n * OUTPUTS + a]);
            UNROLL for (int b = 0; b < INPUTS; b++)
                sum[a][b] = multiply_add(factor, row[b], sum[a][b]);
        }
    }
    UNROLL for (int a = 0; a < OUTPUTS; a++)
        UNROLL for (int b = 0; b < INPUTS; b++)
            memcpy(out + a * stride + b * WIDTH, &sum[a][b], sizeof(vec));
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

/* One parameter whose gradient is a product; how large `scratch` is stands in dense.py. */
static void update_by_product(const parameter *p, factors f, float *scratch) {
    const long inputs = p->inputs, outputs = p->size / inputs, images = p->images;
    float *rows = scratch, *slope = rows + whole(inputs, TILE) * images;
    float *gradient = slope + whole(outputs, OUTPUTS) * images;
    const long group = OUTPUTS * (1 + images / GROUP_OF);
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
            const float by = by_sampled ? by_sampled[i] : 0;
            const float of_mean = counts ? slope * (2 * mean[i]) : 0;
            const float of_logvar = counts ? slope * (growth[i] + 1) - slope : 0;
            by_mean[i] = by + of_mean;
            by_logvar[i] = by * noise[i] * deviation[i] * (float)share + of_logvar;
        }
    }
}
