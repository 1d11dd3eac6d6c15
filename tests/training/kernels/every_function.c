/* Calls every C function of the blocks on fixed pseudo-random maps and prints digests of what they
 * make, so that builds for different processors can be compared: every_function H W F C IMAGES...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES 16
#define CHANNELS 96

typedef struct {
    const float *bias, *scale, *shift, *other, *centre;
    double *sum, *product;
    long relu, images;
} finish;
typedef struct {
    const float *gamma, *beta;
    float *mean, *variance, *centre, *inverse;
    double *sum, *product;
    double count, momentum, epsilon;
} normalisation;
typedef struct {
    float *value, *mean, *square, *steps;
    const float *gradient, *slope, *rows;
    long size, images, inputs;
} parameter;
typedef struct {
    double rate, beta1, beta2, epsilon;
} adam_settings;

void coarsen(const float *, const float *, float *, float *, long, long, long, long, long, const finish *);
void refine(const float *, const float *, float *, float *, long, long, long, long, long, const finish *);
void weight_gradient(const float *, const float *, double *, float *, long, long, long, long, long);
void gather(const uint8_t *, const int64_t *, float *, long, long);
void to_rows(const float *, float *, long, long, long);
void to_blocks(const float *, float *, long, long, long);
void moments(const float *, long, long, long, const finish *);
void normalise(const float *, float *, long, long, long, const normalisation *);
void normalise_backward(float *, const float *, float *, float *, float *, long, long, long, long,
                        const normalisation *);
void reconstruct(float *, const float *, float *, long, long, long);
void reconstruct_backward(float *, const float *, const float *, float *, long, long, long);
void adam(const parameter *, long, const adam_settings *, float *);

static uint64_t state;
static long images, blocks;

/* The next of numbers in [-1, 1) that every processor makes alike. */
static float next(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(state >> 40) / 8388608.0f - 1.0f;
}

static void *room(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memset(p, 0xff, bytes); /* NaN */
    return p;
}

static float *numbers(long count) {
    float *p = room(count * sizeof(float));
    for (long i = 0; i < count; i++) p[i] = next();
    return p;
}

/* A map of so many vectors a block; zeros beyond the last image. */
static float *map(long vectors) {
    float *p = numbers(blocks * vectors * LANES);
    for (long i = 0; i < blocks * vectors * LANES; i++)
        if (i / (vectors * LANES) * LANES + i % LANES >= images) p[i] = 0;
    return p;
}

static uint64_t mixed(uint64_t digest, const void *bytes, size_t count) {
    for (const uint8_t *p = bytes; count--; p++) digest = (digest ^ *p) * 1099511628211u;
    return digest;
}

static void tell(const char *name, const void *bytes, size_t count) {
    printf("%ld images: %s %016llx\n", images, name,
           (unsigned long long)mixed(14695981039346656037u, bytes, count));
}

/* Of a map the lanes of images; what is in the others has to be a number. */
static void tell_map(const char *name, const float *p, long vectors) {
    uint64_t digest = 14695981039346656037u;
    for (long i = 0; i < blocks * vectors * LANES; i++) {
        if (i / (vectors * LANES) * LANES + i % LANES < images) digest = mixed(digest, p + i, 4);
        if (p[i] != p[i]) printf("%s: not written at %ld\n", name, i);
    }
    printf("%ld images: %s %016llx\n", images, name, (unsigned long long)digest);
}

static void convolutions(long h, long w, long F, long C) {
    float *fine = map(4 * h * w * F), *coarse = map(h * w * C);
    float *weights = numbers(25 * F * C), *packed = room(36 * F * C * sizeof(float));
    float *to_fine = room(blocks * 4 * h * w * F * LANES * 4), *gradient = room(25 * F * C * 4);
    float *to_coarse = room(blocks * h * w * C * LANES * 4), *numbers_of_channels = numbers(4 * CHANNELS);
    double sums[2][CHANNELS], *room_for_sums = room(25 * F * C * sizeof(double));
    const finish plain = {.images = images};
    finish whole = {.bias = numbers_of_channels, .images = images, .relu = 1,
                    .scale = numbers_of_channels + CHANNELS, .shift = numbers_of_channels + 2 * CHANNELS};
    finish observed = {.bias = numbers_of_channels, .centre = numbers_of_channels + 3 * CHANNELS,
                       .sum = sums[0], .product = sums[1], .images = images};
    const finish *every[] = {&plain, &whole, &observed, &observed};
    for (int i = 0; i < 4; i++) {
        memset(sums, 0, sizeof sums);
        if (i == 3) observed.other = coarse;
        coarsen(fine, weights, packed, to_coarse, blocks, h, w, F, C, every[i]);
        tell_map("coarsen", to_coarse, h * w * C);
        tell("coarsen's sums", sums, sizeof sums);
        memset(sums, 0, sizeof sums);
        if (i == 3) observed.other = fine;
        if (i >= 2 && F == 3) continue; /* three channels are never added up */
        refine(coarse, weights, packed, to_fine, blocks, h, w, F, C, every[i]);
        tell_map("refine", to_fine, 4 * h * w * F);
        tell("refine's sums", sums, sizeof sums);
    }
    weight_gradient(fine, coarse, room_for_sums, gradient, images, h, w, F, C);
    tell("weight_gradient", gradient, 25 * F * C * 4);
    memset(sums, 0, sizeof sums);
    observed.other = to_coarse;
    moments(coarse, blocks, h * w, C, &observed);
    tell("moments", sums, sizeof sums);
}

static void normalisations(long pixels, long C) {
    float *input = map(pixels * C), *gradient = map(pixels * C), *n = numbers(9 * CHANNELS);
    float *output = room(blocks * pixels * C * LANES * 4);
    double sums[2][CHANNELS];
    for (int i = 0; i < CHANNELS; i++) {
        n[3 * CHANNELS + i] += 2; /* the variance and the inverse deviation are positive */
        n[5 * CHANNELS + i] += 2;
        sums[0][i] = next();
        sums[1][i] = (next() + 2) * images * pixels;
    }
    for (long i = 0; i < blocks * pixels * C * LANES; i++) /* as after a ReLU */
        if (input[i] < 0) input[i] = 0;
    const normalisation s = {n, n + CHANNELS, n + 2 * CHANNELS, n + 3 * CHANNELS, n + 4 * CHANNELS,
                             n + 5 * CHANNELS, sums[0], sums[1], images * pixels, 0.1, 1e-5};
    normalise(input, output, blocks, pixels, C, &s);
    tell_map("normalise", output, pixels * C);
    normalise_backward(gradient, input, n + 6 * CHANNELS, n + 7 * CHANNELS, n + 8 * CHANNELS, images,
                       blocks, pixels, C, &s);
    tell_map("normalise_backward", gradient, pixels * C);
    tell("statistics and gradients", n, 9 * CHANNELS * 4);
}

static void reconstructions(long pixels) {
    float *seen = map(pixels), *slope = map(1), *error = room(blocks * LANES * 4), bias[3];
    for (int norm = 1; norm <= 2; norm++) {
        float *decoded = map(pixels);
        for (long i = 0; i < blocks * pixels * LANES; i++) decoded[i] *= 20;
        reconstruct(decoded, seen, error, blocks, pixels, norm);
        tell_map("reconstruct", decoded, pixels);
        tell("errors", error, images * 4);
        reconstruct_backward(decoded, seen, slope, bias, blocks, pixels, norm);
        tell_map("reconstruct_backward", decoded, pixels);
        tell("its bias", bias, sizeof bias);
    }
}

static void forms(long pixels, long C) {
    uint8_t *stored = room(images * pixels);
    int64_t *index = room(images * sizeof(int64_t));
    float *there = map(pixels * C), *rows = room(images * pixels * C * 4);
    float *back = room(blocks * pixels * C * LANES * 4), *gathered = room(blocks * pixels * LANES * 4);
    for (long i = 0; i < images * pixels; i++) stored[i] = (uint8_t)(127.0f * next() + 127.0f);
    for (long i = 0; i < images; i++) index[i] = images - 1 - i;
    gather(stored, index, gathered, images, pixels);
    tell("gather", gathered, blocks * pixels * LANES * 4);
    to_rows(there, rows, images, pixels, C);
    tell("to_rows", rows, images * pixels * C * 4);
    to_blocks(rows, back, images, pixels, C);
    tell("to_blocks", back, blocks * pixels * C * LANES * 4);
}

/* A parameter with its gradient, and a hidden layer's whose gradient is made from two matrices. */
static void updates(long outputs, long inputs) {
    const adam_settings settings = {1e-3, 0.9, 0.999, 1e-8};
    const long size = outputs * inputs;
    float *state[2], steps[2] = {0, 3}, *scratch = room((inputs + outputs + 96) * (images + 99) * 4);
    parameter each[2];
    for (int i = 0; i < 2; i++) {
        float *s = state[i] = numbers(3 * size);
        for (long n = 2 * size; n < 3 * size; n++) s[n] *= s[n]; /* mean squares */
        each[i] = (parameter){s, s + size, s + 2 * size, steps + i, NULL, numbers(images * outputs),
                              numbers(images * inputs), size, images, inputs};
    }
    each[0].gradient = numbers(size);
    adam(each, 2, &settings, scratch);
    tell("adam", state[0], 3 * size * 4);
    tell("adam by products", state[1], 3 * size * 4);
    tell("steps", steps, sizeof steps);
}

int main(int count, char **words) {
    if (count < 6) return 2;
    const long h = atol(words[1]), w = atol(words[2]), F = atol(words[3]), C = atol(words[4]);
    for (int i = 5; i < count; i++) {
        images = atol(words[i]), blocks = (images + LANES - 1) / LANES, state = images;
        convolutions(h, w, F, C);
        normalisations(h * w, C);
        reconstructions(4 * h * w * 3);
        forms(h * w, C);
        updates(C + 1, 4 * F + 5);
    }
}
