"""Methods that scale, sign or clip the gradient: the Adam family, sign descent, clipping, sharpness-aware steps."""
from __future__ import annotations

from ..core.functions import Scalar, abs, clip, dot, maximum, minimum, norm, sign, sqrt
from ..core.rule import method
from .index import example


@example(eta=.05, beta1=.9, beta2=.999, eps=1e-8)
@method(source="Kingma, Ba 2015, algorithm 1")
def adam(x, m, v, *, eta, beta1, beta2, eps, k, grad):
    g = grad(x)
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat, v_hat = m/(1 - beta1**(k + 1)), v/(1 - beta2**(k + 1))
    return x - eta*m_hat/(sqrt(v_hat) + eps), m, v


@example(eta=.05, beta1=.9, beta2=.999, eps=1e-8, wd=.1)
@method(source="Loshchilov, Hutter 2019, algorithm 2 (AdamW)")
def adamw(x, m, v, *, eta, beta1, beta2, eps, wd, k, grad):
    g = grad(x)
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat, v_hat = m/(1 - beta1**(k + 1)), v/(1 - beta2**(k + 1))
    return x - eta*(m_hat/(sqrt(v_hat) + eps) + wd*x), m, v


@example(eta=.05, beta1=.9, beta2=.999, eps=1e-8)
@method(source="Dozat 2016, algorithm 2, with a constant beta1")
def nadam(x, m, v, *, eta, beta1, beta2, eps, k, grad):
    g = grad(x)
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = beta1*m/(1 - beta1**(k + 2)) + (1 - beta1)*g/(1 - beta1**(k + 1))
    return x - eta*m_hat/(sqrt(v/(1 - beta2**(k + 1))) + eps), m, v


@example(eta=.05, beta1=.9, beta2=.999, eps=1e-8)
@method(source="Reddi, Kale, Kumar 2018, algorithm 2 (AMSGrad)")
def amsgrad(x, m, v, v_max=0, *, eta, beta1, beta2, eps, grad):
    g = grad(x)
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    v_max = maximum(v_max, v)
    return x - eta*m/(sqrt(v_max) + eps), m, v, v_max


@example(eta=.05, beta1=.9, beta2=.999, eps=1e-8)
@method(source="Kingma, Ba 2015, algorithm 2 (AdaMax)")
def adamax(x, m, u, *, eta, beta1, beta2, eps, k, grad):
    g = grad(x)
    m = beta1*m + (1 - beta1)*g
    u = maximum(beta2*u, abs(g))
    return x - eta/(1 - beta1**(k + 1))*m/(u + eps), m, u


@example(eta=.05, beta1=.9, beta2=.999, eps=1e-8)
@method(source="Zhuang et al. 2020, algorithm 2 (AdaBelief)")
def adabelief(x, m, s, *, eta, beta1, beta2, eps, k, grad):
    g = grad(x)
    m = beta1*m + (1 - beta1)*g
    s = beta2*s + (1 - beta2)*(g - m)**2 + eps
    m_hat, s_hat = m/(1 - beta1**(k + 1)), s/(1 - beta2**(k + 1))
    return x - eta*m_hat/(sqrt(s_hat) + eps), m, s


@example(eta=.02, beta=.9, eps=1e-8)
@method(source="Tieleman, Hinton 2012, lecture 6.5 (RMSProp)")
def rmsprop(x, v, *, eta, beta, eps, grad):
    g = grad(x)
    v = beta*v + (1 - beta)*g**2
    return x - eta*g/(sqrt(v) + eps), v


@example(eta=.01, alpha=.99, beta=.5, eps=1e-8)
@method(source="PyTorch, torch.optim.RMSprop(alpha=alpha, momentum=beta)")
def rmsprop_momentum(x, v, b, *, eta, alpha, beta, eps, grad):
    g = grad(x)
    v = alpha*v + (1 - alpha)*g**2
    b = beta*b + g/(sqrt(v) + eps)
    return x - eta*b, v, b


@example(eta=.5, eps=1e-8)
@method(source="Duchi, Hazan, Singer 2011, fig. 1 (diagonal)")
def adagrad(x, s=0, *, eta, eps, grad):
    g = grad(x)
    s = s + g**2
    return x - eta*g/(sqrt(s) + eps), s


@example(eta=1., eps=1.)
@method(source="Ward, Wu, Bottou 2019, algorithm 1 (AdaGrad-Norm)")
def adagrad_norm(x, b: Scalar = 0, *, eta, eps, grad):
    g = grad(x)
    b = b + dot(g, g)
    return x - eta*g/sqrt(b + eps), b


@example(beta=.9, eps=1e-4)
@method(source="Zeiler 2012, algorithm 1 (ADADELTA)")
def adadelta(x, s, u, *, beta, eps, grad):
    g = grad(x)
    s = beta*s + (1 - beta)*g**2
    step = sqrt(u + eps)/sqrt(s + eps)*g
    return x - step, s, beta*u + (1 - beta)*step**2


@example(eta=.01, beta1=.9, beta2=.99, wd=.1)
@method(source="Chen et al. 2023, algorithm 2 (Lion)")
def lion(x, m, *, eta, beta1, beta2, wd, grad):
    g = grad(x)
    u = sign(beta1*m + (1 - beta1)*g)
    return x - eta*(u + wd*x), beta2*m + (1 - beta2)*g


@example(eta=.01)
@method(source="Bernstein et al. 2018, algorithm 1 (signSGD)")
def sign_descent(x, *, eta, grad):
    return x - eta*sign(grad(x))


@example(eta=.01, sigma=.3)
@method(source="Bernstein et al. 2018, algorithm 1, with noise of standard deviation sigma")
def noisy_sign_descent(x, *, eta, sigma, grad, noise):
    return x - eta*sign(grad(x) + sigma*noise())


@example(eta=.01, beta=.9)
@method(source="Bernstein et al. 2018, algorithm 2 (Signum)")
def signum(x, m, *, eta, beta, grad):
    m = beta*m + (1 - beta)*grad(x)
    return x - eta*sign(m), m


@example(eta=.05, eps=1e-8)
@method(source="Nesterov 1984, normalized subgradient step")
def normalized_descent(x, *, eta, eps, grad):
    g = grad(x)
    return x - eta*g/(norm(g) + eps)


@example(eta=.15, c=1.)
@method(source="Pascanu, Mikolov, Bengio 2013, algorithm 1")
def clipped_gradient_descent(x, *, eta, c, grad):
    g = grad(x)
    return x - eta*g*(c/maximum(norm(g), c))


@example(eta=.15, c=1.)
@method(source="Mikolov 2012, clipping by value")
def clipped_entries(x, *, eta, c, grad):
    return x - eta*clip(grad(x), -c, c)


@example(eta=.1, radius=.05, eps=1e-12)
@method(source="Foret et al. 2021, eqs. (2)-(3)")
def sam(x, *, eta, radius, eps, grad):
    g = grad(x)
    return x - eta*grad(x + radius*g/(norm(g) + eps))


@example(eta=.1, radius=.05)
@method(source="Andriushchenko, Flammarion 2022, sharpness-aware step without normalization")
def usam(x, *, eta, radius, grad):
    return x - eta*grad(x + radius*grad(x))


@example(eta_max=.15, f_min=0.)
@method(source="Polyak 1987, section 5.3.2; Loizou et al. 2021 (a largest step)")
def polyak_step(x, *, eta_max, f_min, f, grad):
    g = grad(x)
    return x - minimum((f(x) - f_min)/dot(g, g), eta_max)*g


@example(eta=.5, F_inv=[[1., 0.], [0., .2]])
@method(source="Amari 1998, with the inverse metric as a matrix")
def natural_gradient(x, *, eta, F_inv, grad):
    return x - eta*(F_inv @ grad(x))
