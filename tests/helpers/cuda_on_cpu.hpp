// CUDA C as C++ on one processor: a block's threads take turns between the barriers.
#include <ucontext.h>

#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)

struct uint2 { unsigned x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct dim3 { unsigned x, y, z; };
static dim3 threadIdx, blockIdx, blockDim, gridDim;

static float __uint_as_float(unsigned bits) { float x; std::memcpy(&x, &bits, 4); return x; }
static unsigned __float_as_uint(float x) { unsigned bits; std::memcpy(&bits, &x, 4); return bits; }
static float rsqrtf(float x) { return 1 / std::sqrt(x); }

static ucontext_t scheduler, *running;
static void __syncthreads() { swapcontext(running, &scheduler); }

static void (*work)(void **), **arguments;
static bool *done;
static void turn() { work(arguments); *done = true; swapcontext(running, &scheduler); }

template <class... A, std::size_t... I>
static void call(void (*kernel)(A...), void **values, std::index_sequence<I...>) {
    kernel(*(A *)values[I]...);
}
template <class... A> static void call(void (*kernel)(A...), void **values) {
    call(kernel, values, std::index_sequence_for<A...>());
}

static void on_grid(void (*kernel)(void **), int x, int y, int z, int block, void **values) {
    gridDim = {(unsigned)x, (unsigned)y, (unsigned)z}, blockDim = {(unsigned)block, 1, 1};
    work = kernel;
    std::vector<ucontext_t> threads(block);
    std::vector<std::vector<char>> stacks(block, std::vector<char>(1 << 16));
    for (int number = 0; number < x * y * z; number++) {
        blockIdx = {(unsigned)(number % x), (unsigned)(number / x % y), (unsigned)(number / x / y)};
        std::vector<char> ended(block);
        for (int i = 0; i < block; i++) {
            getcontext(&threads[i]);
            threads[i].uc_stack.ss_sp = stacks[i].data(), threads[i].uc_stack.ss_size = 1 << 16;
            makecontext(&threads[i], turn, 0);
        }
        for (int left = block; left;)
            for (int i = 0; i < block; i++) {
                if (ended[i]) continue;
                threadIdx = {(unsigned)i, 0, 0}, running = &threads[i];
                arguments = values, done = (bool *)&ended[i];
                swapcontext(&scheduler, running);
                left -= ended[i];
            }
    }
}
#define KERNEL(name)                                                                        \
    extern "C" void run_##name(int x, int y, int z, int block, void **values) {             \
        on_grid([](void **own) { call(name, own); }, x, y, z, block, values);               \
    }
