// How maps are stored, and read four pixels at a time.

#ifdef HALF
typedef unsigned short Map;  // bfloat16

static __device__ float value(Map bits) { return __uint_as_float((unsigned)bits << 16); }

static __device__ unsigned rounded(float x) {  // to the nearest, ties to even
    unsigned bits = __float_as_uint(x);
    return x == x ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : 0x7fc0;
}

static __device__ void take4(const Map *from, float *to) {
    uint2 bits = *(const uint2 *)from;
    to[0] = __uint_as_float(bits.x << 16), to[1] = __uint_as_float(bits.x & 0xffff0000u);
    to[2] = __uint_as_float(bits.y << 16), to[3] = __uint_as_float(bits.y & 0xffff0000u);
}

static __device__ void put4(Map *to, const float *from) {
    uint2 bits;
    bits.x = rounded(from[0]) | rounded(from[1]) << 16;
    bits.y = rounded(from[2]) | rounded(from[3]) << 16;
    *(uint2 *)to = bits;
}
#else
typedef float Map;

static __device__ float value(Map x) { return x; }

static __device__ void take4(const Map *from, float *to) {
    float4 four = *(const float4 *)from;
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
}

static __device__ void put4(Map *to, const float *from) {
    float4 four;
    four.x = from[0], four.y = from[1], four.z = from[2], four.w = from[3];
    *(float4 *)to = four;
}
#endif

static __device__ void get4(const float *from, float *to) {
    float4 four = *(const float4 *)from;
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
}
