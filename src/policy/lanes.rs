//! Complex arithmetic on several devices at once, one per lane.
//!
//! Plain additions and products on arrays of fixed width: the compiler vectorises them,
//! and since lanes never mix and nothing is fused, at any width with the same bits.

/// Devices per group.
pub(super) const WIDTH: usize = 4;

/// One complex number for each device of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct ComplexLanes {
    pub(super) re: [f64; WIDTH],
    pub(super) im: [f64; WIDTH],
}

/// Zero in every lane.
pub(super) const ZERO: ComplexLanes = ComplexLanes {
    re: [0.0; WIDTH],
    im: [0.0; WIDTH],
};

impl ComplexLanes {
    /// self += a.
    #[inline(always)]
    pub(super) fn add(&mut self, a: &Self) {
        for k in 0..WIDTH {
            self.re[k] += a.re[k];
            self.im[k] += a.im[k];
        }
    }

    /// self += a b.
    #[inline(always)]
    pub(super) fn add_product(&mut self, a: &Self, b: &Self) {
        for k in 0..WIDTH {
            self.re[k] += a.re[k] * b.re[k] - a.im[k] * b.im[k];
            self.im[k] += a.re[k] * b.im[k] + a.im[k] * b.re[k];
        }
    }

    /// self += a* b.
    #[inline(always)]
    pub(super) fn add_conjugate_product(&mut self, a: &Self, b: &Self) {
        for k in 0..WIDTH {
            self.re[k] += a.re[k] * b.re[k] + a.im[k] * b.im[k];
            self.im[k] += a.re[k] * b.im[k] - a.im[k] * b.re[k];
        }
    }

    /// self −= a b*.
    #[inline(always)]
    pub(super) fn subtract_product_conjugate(&mut self, a: &Self, b: &Self) {
        for k in 0..WIDTH {
            self.re[k] -= a.re[k] * b.re[k] + a.im[k] * b.im[k];
            self.im[k] -= a.im[k] * b.re[k] - a.re[k] * b.im[k];
        }
    }

    /// self −= a b.
    #[inline(always)]
    pub(super) fn subtract_product(&mut self, a: &Self, b: &Self) {
        for k in 0..WIDTH {
            self.re[k] -= a.re[k] * b.re[k] - a.im[k] * b.im[k];
            self.im[k] -= a.re[k] * b.im[k] + a.im[k] * b.re[k];
        }
    }

    /// self += g* h for one number g and the lanes h.
    #[inline(always)]
    pub(super) fn add_conjugate_scaled(&mut self, re: f64, im: f64, h: &Self) {
        for k in 0..WIDTH {
            self.re[k] += re * h.re[k] + im * h.im[k];
            self.im[k] += re * h.im[k] - im * h.re[k];
        }
    }

    /// self += a b*.
    #[inline(always)]
    pub(super) fn add_product_conjugate(&mut self, a: &Self, b: &Self) {
        for k in 0..WIDTH {
            self.re[k] += a.re[k] * b.re[k] + a.im[k] * b.im[k];
            self.im[k] += a.im[k] * b.re[k] - a.re[k] * b.im[k];
        }
    }

    /// self += h g* for one number g and the lanes h.
    #[inline(always)]
    pub(super) fn add_scaled_conjugate(&mut self, re: f64, im: f64, h: &Self) {
        for k in 0..WIDTH {
            self.re[k] += h.re[k] * re + h.im[k] * im;
            self.im[k] += h.im[k] * re - h.re[k] * im;
        }
    }

    /// self −= g h for one number g and the lanes h.
    #[inline(always)]
    pub(super) fn subtract_scaled(&mut self, re: f64, im: f64, h: &Self) {
        for k in 0..WIDTH {
            self.re[k] -= re * h.re[k] - im * h.im[k];
            self.im[k] -= re * h.im[k] + im * h.re[k];
        }
    }

    /// self −= g* h for one number g and the lanes h.
    #[inline(always)]
    pub(super) fn subtract_conjugate_scaled(&mut self, re: f64, im: f64, h: &Self) {
        for k in 0..WIDTH {
            self.re[k] -= re * h.re[k] + im * h.im[k];
            self.im[k] -= re * h.im[k] - im * h.re[k];
        }
    }

    /// self /= one number.
    #[inline(always)]
    pub(super) fn divide(&mut self, divisor: f64) {
        for k in 0..WIDTH {
            self.re[k] /= divisor;
            self.im[k] /= divisor;
        }
    }

    /// self*.
    #[inline(always)]
    pub(super) fn conjugate(&self) -> Self {
        Self {
            re: self.re,
            im: self.im.map(|x| -x),
        }
    }

    /// a b.
    #[inline(always)]
    pub(super) fn product(a: &Self, b: &Self) -> Self {
        let mut product = *a;
        for k in 0..WIDTH {
            product.re[k] = a.re[k] * b.re[k] - a.im[k] * b.im[k];
            product.im[k] = a.re[k] * b.im[k] + a.im[k] * b.re[k];
        }
        product
    }

    /// self *= factors, lane by lane.
    #[inline(always)]
    pub(super) fn scale(&mut self, factors: &[f64; WIDTH]) {
        for (k, factor) in factors.iter().enumerate() {
            self.re[k] *= factor;
            self.im[k] *= factor;
        }
    }

    /// Σ over the lanes.
    #[inline(always)]
    pub(super) fn sum(&self) -> (f64, f64) {
        let sum = |x: &[f64; WIDTH]| (x[0] + x[1]) + (x[2] + x[3]);
        (sum(&self.re), sum(&self.im))
    }
}
