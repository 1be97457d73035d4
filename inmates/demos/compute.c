/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compute cell: complex FFTs of 4096 points in double precision, forward and back,
 * for about a second, then the rate of all of it, checks included. Each spectrum is compared
 * bit for bit with a stored checksum and each result with the input.
 *
 * Every operation is an IEEE 754 one in a fixed order and every multiplication that may be
 * fused is written as one, so that the bits are the same from every compiler and on every CPU.
 */
#include "inmate.h"

#define LOG2_POINTS 12u
#define POINTS (1u << LOG2_POINTS)
#define PI 0x1.921fb54442d18p+1
#define ROUND_TRIP_LIMIT 1e-9

/* Of the spectrum of the input made by input_make() */
#define CHECKSUM 0xdd64b178bdee13e2ull

/* A butterfly is a complex product and two sums, 10 operations; POINTS/2 in each of LOG2_POINTS passes. */
#define FLOPS_PER_TRANSFORM (5ull * POINTS * LOG2_POINTS)

struct complex {
	double re, im;
};

struct fft {
	struct complex input[POINTS];
	struct complex data[POINTS];
	struct complex root[POINTS / 2];	/* exp(-2 pi i k / POINTS) */
};

struct verdict {
	uint64_t checksum;
	double error;		/* largest difference between input and result */
};

/* Sum of x^(2i) * c[i], lowest first in c. */
static double even_series(double x2, const double *c, unsigned int n)
{
	double sum = c[n - 1];

	while (--n)
		sum = __builtin_fma(sum, x2, c[n - 1]);
	return sum;
}

/* |x| <= pi/4: the first term left out is below 2^-60 */
static double sine(double x)
{
	static const double c[] = {
		-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800,
		1.0 / 6227020800, -1.0 / 1307674368000,
	};
	double x2 = x * x;

	return __builtin_fma(x * x2, even_series(x2, c, ARRAY_SIZE(c)), x);
}

static double cosine(double x)
{
	static const double c[] = {
		-1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
		1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000,
	};
	double x2 = x * x;

	return __builtin_fma(x2, even_series(x2, c, ARRAY_SIZE(c)), 1.0);
}

/* exp(-2 pi i k / POINTS) for k < POINTS / 2, from the eighth of the circle the series serve */
static struct complex root_of_unity(unsigned int k)
{
	unsigned int quarter = POINTS / 4, within = k % quarter;
	bool mirrored = within > quarter / 2;
	double angle = (mirrored ? quarter - within : within) * (2 * PI / POINTS);
	double s = sine(angle), c = cosine(angle);
	struct complex z = mirrored ? (struct complex){ s, -c } : (struct complex){ c, -s };

	if (k >= quarter)	/* a quarter turn further: times -i */
		z = (struct complex){ z.im, -z.re };
	return z;
}

/* Both parts in [-1, 1), from a linear congruential generator (Knuth's MMIX constants) */
static void input_make(struct fft *f)
{
	uint64_t state = 1;

	for (unsigned int i = 0; i < POINTS; i++) {
		double part[2];

		for (unsigned int j = 0; j < 2; j++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			part[j] = (double)(int64_t)state * 0x1p-63;
		}
		f->input[i] = (struct complex){ part[0], part[1] };
	}
	for (unsigned int k = 0; k < POINTS / 2; k++)
		f->root[k] = root_of_unity(k);
}

static void bit_reverse(struct complex *x)
{
	unsigned int j = 0;

	for (unsigned int i = 0; i < POINTS; i++) {
		unsigned int bit = POINTS / 2;

		if (i < j) {
			struct complex t = x[i];

			x[i] = x[j];
			x[j] = t;
		}
		while (bit && j & bit) {
			j ^= bit;
			bit /= 2;
		}
		j |= bit;
	}
}

static void butterfly(struct complex *a, struct complex *b, struct complex w)
{
	double re = __builtin_fma(w.re, b->re, -(w.im * b->im));
	double im = __builtin_fma(w.re, b->im, w.im * b->re);

	*b = (struct complex){ a->re - re, a->im - im };
	*a = (struct complex){ a->re + re, a->im + im };
}

/* In place, decimation in time; sign -1 forward, 1 back (not scaled). */
static void transform(struct complex *x, const struct complex *root, double sign)
{
	bit_reverse(x);
	for (unsigned int half = 1; half < POINTS; half *= 2) {
		unsigned int step = POINTS / 2 / half;

		for (unsigned int k = 0; k < half; k++) {
			struct complex w = root[k * step];

			w.im *= -sign;
			for (unsigned int i = k; i < POINTS; i += 2 * half)
				butterfly(&x[i], &x[i + half], w);
		}
	}
}

/* FNV-1a over 64-bit words */
static uint64_t checksum(const struct complex *x)
{
	uint64_t sum = 0xcbf29ce484222325ull;

	for (unsigned int i = 0; i < POINTS; i++) {
		uint64_t bits[2];

		memcpy(bits, &x[i], sizeof(bits));
		sum = (sum ^ bits[0]) * 0x100000001b3ull;
		sum = (sum ^ bits[1]) * 0x100000001b3ull;
	}
	return sum;
}

static double distance(const struct fft *f)
{
	double worst = 0;

	for (unsigned int i = 0; i < POINTS; i++) {
		double re = f->data[i].re * (1.0 / POINTS) - f->input[i].re;
		double im = f->data[i].im * (1.0 / POINTS) - f->input[i].im;

		re = re < 0 ? -re : re;
		im = im < 0 ? -im : im;
		/* Written so that a NaN counts as worst. */
		if (!(re <= worst))
			worst = re;
		if (!(im <= worst))
			worst = im;
	}
	return worst;
}

static struct verdict fft_run(struct fft *f)
{
	struct verdict v;

	memcpy(f->data, f->input, sizeof(f->data));
	transform(f->data, f->root, -1);
	v.checksum = checksum(f->data);
	transform(f->data, f->root, 1);
	v.error = distance(f);
	return v;
}

static void report(uint64_t rounds, uint64_t ticks, const struct verdict *v)
{
	/* flop per ns times 10^6 is kflop/s */
	uint64_t rate = rounds * 2 * FLOPS_PER_TRANSFORM * 1000000 / timer_ticks_to_ns(ticks);

	printk("compute: rate %lu kflop/s checksum ", rate);
	if (v->checksum != CHECKSUM)
		printk("BAD %016lx expected %016lx\n", v->checksum, (uint64_t)CHECKSUM);
	else if (!(v->error < ROUND_TRIP_LIMIT))
		printk("BAD round trip error above 1e-9\n");
	else
		printk("ok\n");
}

void inmate_main(void)
{
	static struct fft fft;

	irq_init();
	mmu_enable();
	input_make(&fft);
	for (;;) {
		uint64_t start = timer_now(), ticks, rounds = 0;
		struct verdict bad = { 0 }, v;

		do {
			v = fft_run(&fft);
			rounds++;
			if (v.checksum != CHECKSUM || !(v.error < ROUND_TRIP_LIMIT))
				bad = v;
			comm_poll();
			ticks = timer_now() - start;
		} while (ticks < timer_frequency());
		report(rounds, ticks, bad.checksum ? &bad : &v);
	}
}
