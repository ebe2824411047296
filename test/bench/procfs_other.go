//go:build !linux

package main

import (
	"errors"
	"time"
)

// What is read from /proc is not known on this system.

func cpuOf(int) (time.Duration, error) { return 0, errors.New("CPU times are measured on Linux only") }

func ownCPU() (time.Duration, error) { return 0, errors.New("CPU times are measured on Linux only") }

func rssOf(int) float64 { return 0 }

func peakRSS(int) float64 { return 0 }

func load() string { return "unknown" }

func processor() string { return "unknown" }

func kernel() string { return "unknown" }
