// Hand-written comparison kernels on Rosenbrock's function: g++ vector extensions, 16 or 32 paths at a time, contraction to fma allowed.
#include <cmath>
#include <cstdint>
#include <cstring>
typedef double R __attribute__((vector_size(64)));
// N registers of 8 lanes: independent chains of operations, as a hand would unroll them
template <int N> struct Lanes {
    R r[N];
    static Lanes load(const double* p) { Lanes v; for (int i = 0; i < N; i++) std::memcpy(&v.r[i], p + 8*i, 64); return v; }
    void store(double* p) const { for (int i = 0; i < N; i++) std::memcpy(p + 8*i, &r[i], 64); }
    friend Lanes operator+(const Lanes& a, const Lanes& b) { Lanes v; for (int i = 0; i < N; i++) v.r[i] = a.r[i] + b.r[i]; return v; }
    friend Lanes operator-(const Lanes& a, const Lanes& b) { Lanes v; for (int i = 0; i < N; i++) v.r[i] = a.r[i] - b.r[i]; return v; }
    friend Lanes operator*(const Lanes& a, const Lanes& b) { Lanes v; for (int i = 0; i < N; i++) v.r[i] = a.r[i]*b.r[i]; return v; }
    friend Lanes operator*(double a, const Lanes& b) { Lanes v; for (int i = 0; i < N; i++) v.r[i] = a*b.r[i]; return v; }
    friend Lanes operator-(double a, const Lanes& b) { Lanes v; for (int i = 0; i < N; i++) v.r[i] = a - b.r[i]; return v; }
    Lanes operator-() const { Lanes v; for (int i = 0; i < N; i++) v.r[i] = -r[i]; return v; }
};
template <class V> static inline void grad(const V& x, const V& y, V& a, V& b) { V u = y - x*x; a = -2.0*(1.0 - x) - 400.0*(x*u); b = 200.0*u; }

template <int N> static void euler_lanes(double* S, const double* G, double h, long steps, long n) {
    typedef Lanes<N> V;
    double *X = S, *Y = S + n, *P = S + 2*n, *Q = S + 3*n;
    for (long i = 0; i < n; i += 8*N) {
        V x = V::load(X + i), y = V::load(Y + i), p = V::load(P + i), q = V::load(Q + i), g = V::load(G + i), a, b;
        for (long k = 0; k < steps; k++) {
            grad(x, y, a, b);
            p = p + h*(-g*p - a); q = q + h*(-g*q - b);
            x = x + h*p; y = y + h*q;
        }
        x.store(X + i); y.store(Y + i); p.store(P + i); q.store(Q + i);
    }
}
extern "C" void euler(double* S, const double* G, double h, long steps, long n) { euler_lanes<4>(S, G, h, steps, n); }

template <int N> static void rk4_lanes(double* S, const double* G, double h, long steps, long n) {
    typedef Lanes<N> V;
    double *X = S, *Y = S + n, *P = S + 2*n, *Q = S + 3*n, h2 = h/2, h6 = h/6;
    for (long i = 0; i < n; i += 8*N) {
        V x = V::load(X + i), y = V::load(Y + i), p = V::load(P + i), q = V::load(Q + i), g = V::load(G + i), a, b;
        for (long k = 0; k < steps; k++) {
            grad(x, y, a, b);
            V a1 = -g*p - a, b1 = -g*q - b, p2 = p + h2*a1, q2 = q + h2*b1;
            grad(x + h2*p, y + h2*q, a, b);
            V a2 = -g*p2 - a, b2 = -g*q2 - b, p3 = p + h2*a2, q3 = q + h2*b2;
            grad(x + h2*p2, y + h2*q2, a, b);
            V a3 = -g*p3 - a, b3 = -g*q3 - b, p4 = p + h*a3, q4 = q + h*b3;
            grad(x + h*p3, y + h*q3, a, b);
            V a4 = -g*p4 - a, b4 = -g*q4 - b;
            x = x + h6*(p + 2.0*(p2 + p3) + p4); y = y + h6*(q + 2.0*(q2 + q3) + q4);
            p = p + h6*(a1 + 2.0*(a2 + a3) + a4); q = q + h6*(b1 + 2.0*(b2 + b3) + b4);
        }
        x.store(X + i); y.store(Y + i); p.store(P + i); q.store(Q + i);
    }
}
extern "C" void rk4(double* S, const double* G, double h, long steps, long n) { rk4_lanes<2>(S, G, h, steps, n); }

extern "C" void sweep(const double* eta, const double* beta, long steps, double* out, long n, long m) {
    typedef Lanes<4> V;
    V zero;
    std::memset(&zero, 0, sizeof zero);
    for (long r = 0; r < n; r++)
        for (long c = 0; c < m; c += 32) {
            double e = eta[r];
            V be = V::load(beta + c), x = -1.2 - zero, y = 1.0 - zero, p = zero, q = zero, a, b;
            for (long k = 0; k < steps; k++) { grad(x, y, a, b); p = be*p + e*a; q = be*q + e*b; x = x - p; y = y - q; }
            x.store(out + r*m + c);
        }
}

extern "C" void heavy_ball(double* s, double eta, double beta, long steps) {
    double x = s[0], y = s[1], p = s[2], q = s[3];
    for (long k = 0; k < steps; k++) {
        double u = y - x*x, a = -2*(1 - x) - 400*(x*u), b = 200*u;
        p = beta*p + eta*a; q = beta*q + eta*b; x -= p; y -= q;
    }
    s[0] = x; s[1] = y; s[2] = p; s[3] = q;
}

// Euler-Maruyama for Langevin dynamics, one path after the other: xoshiro256++ and the ziggurat (Marsaglia, Tsang 2000, 128 layers)
static uint32_t kn[128]; static double wn[128], fn[128];
static void tables() {
    double m = 2147483648.0, d = 3.442619855899, t = d, v = 9.91256303526217e-3, q = v/std::exp(-.5*d*d);
    kn[0] = (uint32_t)(d/q*m); kn[1] = 0; wn[0] = q/m; wn[127] = d/m; fn[0] = 1; fn[127] = std::exp(-.5*d*d);
    for (int i = 126; i >= 1; i--) {
        d = std::sqrt(-2*std::log(v/d + std::exp(-.5*d*d)));
        kn[i + 1] = (uint32_t)(d/t*m); t = d; fn[i] = std::exp(-.5*d*d); wn[i] = d/m;
    }
}
struct Random {
    uint64_t s[4];
    static uint64_t rot(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
    uint64_t next() {
        uint64_t r = rot(s[0] + s[3], 23) + s[0], t = s[1] << 17;
        s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rot(s[3], 45);
        return r;
    }
    double unit() { return ((next() >> 11) + .5)*0x1p-53; }
    double normal() {
        for (;;) {
            int32_t h = (int32_t)next(); uint32_t i = h & 127, size = h < 0 ? 0u - (uint32_t)h : (uint32_t)h;
            double x = h*wn[i];
            if (size < kn[i]) return x;
            if (i == 0) {
                double y;
                do { x = -std::log(unit())/3.442619855899; y = -std::log(unit()); } while (y + y < x*x);
                return h > 0 ? 3.442619855899 + x : -3.442619855899 - x;
            }
            if (fn[i] + unit()*(fn[i - 1] - fn[i]) < std::exp(-.5*x*x)) return x;
        }
    }
};
extern "C" void langevin(double* S, double h, double gamma, double sigma, double l1, double l2, long steps, long n) {
    tables();
    double c = sigma*std::sqrt(h);
    for (long i = 0; i < n; i++) {
        Random r; uint64_t z = i;
        for (auto& w : r.s) { z += 0x9e3779b97f4a7c15; uint64_t y = (z ^ (z >> 30))*0xbf58476d1ce4e5b9; y = (y ^ (y >> 27))*0x94d049bb133111eb; w = y ^ (y >> 31); }
        double x = S[i], y = S[n + i], p = S[2*n + i], q = S[3*n + i];
        for (long k = 0; k < steps; k++) {
            double xn = x + h*p, yn = y + h*q;
            p += h*(-gamma*p - l1*x) + c*r.normal(); q += h*(-gamma*q - l2*y) + c*r.normal();
            x = xn; y = yn;
        }
        S[i] = x; S[n + i] = y; S[2*n + i] = p; S[3*n + i] = q;
    }
}
