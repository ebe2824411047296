package main

import (
	"math"
	"slices"
)

// summary is what a series of values comes to.
type summary struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

func summarise(values []float64) summary {
	if len(values) == 0 {
		return summary{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return summary{
		N: len(sorted), Min: sorted[0], Median: quantile(sorted, 0.5), P90: quantile(sorted, 0.9),
		P99: quantile(sorted, 0.99), Max: sorted[len(sorted)-1],
	}
}

// quantile interpolates between the two nearest of the sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := math.Floor(at)
	left, right := sorted[int(low)], sorted[int(math.Ceil(at))]
	return left + (right-left)*(at-low)
}

func median(values []float64) float64 { return summarise(values).Median }
