package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// snapshotCommand makes this program a process that reads and writes one snapshot.
const snapshotCommand = "snapshot"

// deploymentsOfEach environment in a history.
const deploymentsOfEach = 200

// history measures a cluster that has been in use for weeks, and one that has for years.
func history(ctx context.Context, b *bench) error {
	for _, environments := range []int{5, b.environments} {
		if err := b.lived(ctx, environments); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) lived(ctx context.Context, environments int) error {
	name := fmt.Sprintf("history/%d-deployments", environments*deploymentsOfEach)
	s := &seed{
		environments: environments, deployments: deploymentsOfEach, contents: 4, contentBytes: 20_000,
		cluster: filepath.Join(b.scratch, name, "cluster"), missing: filepath.Join(b.scratch, "no-such-repository"),
	}
	begun := time.Now()
	cluster, err := s.plant(b.program)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "  made %d deployments in %s\n", s.environments*s.deployments, time.Since(begun).Round(time.Second))
	if err := snapshots(ctx, b, name, s.snapshot); err != nil {
		return err
	}
	defer cluster.stop()
	if err := errors.Join(cluster.start(), cluster.awaitReady(ctx), cluster.awaitHealthy(ctx)); err != nil {
		return err
	}
	whole, healthy, err := restarts(ctx, cluster, b.rounds)
	if err != nil {
		return err
	}
	var memory, peak []float64
	for _, n := range cluster.nodes {
		memory, peak = append(memory, rssOf(n.PID)), append(peak, peakRSS(n.PID))
	}
	b.add(name+"/restart/stop-to-ready", "ms", atMost(2000), whole...)
	b.add(name+"/restart/start-to-healthy", "ms", goal{}, healthy...)
	b.add(name+"/rss-of-each-node", "MB", goal{}, memory...)
	b.add(name+"/rss-peak-of-each-node", "MB", goal{}, peak...)
	return nil
}

// snapshotTimes is what a process measured of itself.
type snapshotTimes struct {
	ReadMs, WriteMs, PeakMB, SizeMB float64
	// The CPU that it took is less than the time on a machine that has other work, and more where the collector of
	// garbage runs beside it.
	ReadCPUMs, WriteCPUMs float64
}

// snapshots reads and writes the state in processes of their own, so that their memory is that alone.
func snapshots(ctx context.Context, b *bench, name, path string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var read, write, readCPU, writeCPU, peak, size []float64
	for range b.rounds {
		out, err := exec.CommandContext(ctx, self, snapshotCommand, path).Output()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		var t snapshotTimes
		if err := json.Unmarshal(out, &t); err != nil {
			return err
		}
		read, write, peak, size = append(read, t.ReadMs), append(write, t.WriteMs), append(peak, t.PeakMB), append(size, t.SizeMB)
		readCPU, writeCPU = append(readCPU, t.ReadCPUMs), append(writeCPU, t.WriteCPUMs)
	}
	b.add(name+"/snapshot/write", "ms", atMost(2000), write...)
	b.add(name+"/snapshot/read", "ms", atMost(2000), read...)
	b.add(name+"/snapshot/write-cpu", "ms", goal{}, writeCPU...)
	b.add(name+"/snapshot/read-cpu", "ms", goal{}, readCPU...)
	b.add(name+"/snapshot/rss-peak", "MB", goal{}, peak...)
	b.add(name+"/snapshot/size", "MB", goal{}, size...)
	return nil
}

func runSnapshot(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: snapshot FILE")
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	var t snapshotTimes
	var state *fsm.State
	// As a node restores.
	percent := debug.SetGCPercent(-1)
	t.ReadMs, t.ReadCPUMs, err = timed(func() (err error) { state, err = fsm.ReadSnapshot(file); return err })
	if err != nil {
		return err
	}
	debug.SetGCPercent(percent)
	t.WriteMs, t.WriteCPUMs, err = timed(func() (err error) { t.SizeMB, err = writeSnapshot(args[0]+".copy", state); return err })
	if err != nil {
		return err
	}
	t.PeakMB = peakRSS(os.Getpid())
	return json.NewEncoder(os.Stdout).Encode(t)
}

// timed returns how long something took this process, and how much CPU, in milliseconds.
func timed(do func() error) (took, spent float64, err error) {
	before, err := cpuOf(os.Getpid())
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	if err := do(); err != nil {
		return 0, 0, err
	}
	took = milliseconds(time.Since(begun))
	after, err := cpuOf(os.Getpid())
	return took, milliseconds(after - before), err
}

// writeSnapshot writes a state durably and returns the file's size in megabytes.
func writeSnapshot(path string, state *fsm.State) (float64, error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	buffer := bufio.NewWriter(file)
	err = errors.Join(fsm.WriteSnapshot(buffer, state), buffer.Flush(), file.Sync())
	info, problem := file.Stat()
	if err = errors.Join(err, problem, file.Close()); err != nil {
		return 0, err
	}
	return float64(info.Size()) / 1e6, nil
}
