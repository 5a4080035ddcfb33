// Boost.odeint's controlled Dormand-Prince pair on the systems of cases.py, in their order.
#include <array>
#include <boost/numeric/odeint.hpp>
using namespace boost::numeric::odeint;
template <int N, class F> static void solve(F rates, double* y, double t0, double end, double tol) {
    std::array<double, N> s;
    for (int i = 0; i < N; i++) s[i] = y[i];
    integrate_adaptive(make_dense_output(tol, tol, runge_kutta_dopri5<std::array<double, N>>()), rates, s, t0, end, 1e-3);
    for (int i = 0; i < N; i++) y[i] = s[i];
}
extern "C" void odeint(int which, double* y, double t0, double end, double tol) {
    typedef std::array<double, 4> V4; typedef std::array<double, 3> V3; typedef std::array<double, 2> V2;
    if (which == 0) solve<4>([](const V4& s, V4& d, double) {
        double u = s[1] - s[0]*s[0];
        d[0] = s[2]; d[1] = s[3]; d[2] = -s[2] + 2*(1 - s[0]) + 400*s[0]*u; d[3] = -s[3] - 200*u;
    }, y, t0, end, tol);
    else if (which == 1) solve<4>([](const V4& s, V4& d, double t) {
        double u = s[1] - s[0]*s[0], g = 3/t;
        d[0] = s[2]; d[1] = s[3]; d[2] = -g*s[2] + 2*(1 - s[0]) + 400*s[0]*u; d[3] = -g*s[3] - 200*u;
    }, y, t0, end, tol);
    else if (which == 2) solve<4>([](const V4& s, V4& d, double t) {
        double g = 3/t;
        d[0] = s[2]; d[1] = s[3]; d[2] = -g*s[2] - s[0]; d[3] = -g*s[3] - 1e4*s[1];
    }, y, t0, end, tol);
    else if (which == 3) solve<3>([](const V3& s, V3& d, double) {
        d[0] = 10*(s[1] - s[0]); d[1] = s[0]*(28 - s[2]) - s[1]; d[2] = s[0]*s[1] - 8.0/3*s[2];
    }, y, t0, end, tol);
    else solve<2>([](const V2& s, V2& d, double) { d[0] = s[1]; d[1] = 5*(1 - s[0]*s[0])*s[1] - s[0]; }, y, t0, end, tol);
}
