package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkProposals is a storm of replicated commands with a 1 KB text from 32
// clients at all nodes of a cluster in this process, over TCP and real disks.
func BenchmarkProposals(b *testing.B) {
	nodes := tcpCluster(b, 3)
	text := strings.Repeat("x", 1024)
	var next atomic.Uint64
	b.SetParallelism(16) // 32 on two cores
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			n := next.Add(1)
			c := poll(fmt.Sprintf("request-%d", n))
			c.Caller.Source = text
			result, err := nodes[n%3].Propose(context.Background(), c)
			if err != nil || result.Err() != nil {
				b.Error(err, result.Err())
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
}

// BenchmarkReads is linearizable reads from 32 clients at all nodes.
func BenchmarkReads(b *testing.B) {
	nodes := tcpCluster(b, 3)
	var next atomic.Uint64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := nodes[next.Add(1)%3].Linearize(context.Background()); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
}
