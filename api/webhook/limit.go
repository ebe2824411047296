package webhook

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound how many deliveries are looked at.
type Limits struct {
	// SourceRate and SourceBurst bound what one address may send, good or bad, a second and at once.
	SourceRate  float64
	SourceBurst int
	// AcceptedRate and AcceptedBurst bound the hints that are stored, from everywhere together.
	AcceptedRate  float64
	AcceptedBurst int
	// AtOnce bounds the bodies that are being read: each may take MaxBodyBytes.
	AtOnce int
}

// DefaultLimits leave a busy repository alone. One hint a second is 86,400 a
// day: fewer than the requests that the state machine remembers, so that hints
// never push out what operators asked for.
func DefaultLimits() Limits {
	return Limits{SourceRate: 5, SourceBurst: 60, AcceptedRate: 1, AcceptedBurst: 120, AtOnce: 16}
}

func (l Limits) accepted() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(l.AcceptedRate), l.AcceptedBurst)
}

const (
	// maxSources bounds how many addresses are told apart; those beyond share one limit.
	maxSources = 4096
	// forgetEvery is how often all of them are looked at, so that a flood of
	// addresses does not cost a look at all of them for each delivery.
	forgetEvery = time.Second
)

// sources limits each address by itself.
type sources struct {
	limits Limits

	mu     sync.Mutex
	known  map[netip.Prefix]*rate.Limiter
	others *rate.Limiter
	// looked is when all of them were looked at last.
	looked time.Time
}

func newSources(l Limits) *sources {
	s := &sources{limits: l, known: map[netip.Prefix]*rate.Limiter{}}
	s.others = s.fresh()
	return s
}

func (s *sources) fresh() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(s.limits.SourceRate), s.limits.SourceBurst)
}

// allow reports whether an address may send one more.
func (s *sources) allow(address string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := network(address)
	limiter := s.known[key]
	if limiter == nil {
		if len(s.known) >= maxSources {
			s.forget(now)
		}
		if len(s.known) >= maxSources {
			return s.others.AllowN(now, 1)
		}
		limiter = s.fresh()
		s.known[key] = limiter
	}
	return limiter.AllowN(now, 1)
}

// forget drops who has been quiet for so long that nothing is remembered of them.
func (s *sources) forget(now time.Time) {
	if now.Sub(s.looked) < forgetEvery {
		return
	}
	s.looked = now
	for key, limiter := range s.known {
		if limiter.TokensAt(now) >= float64(s.limits.SourceBurst) {
			delete(s.known, key)
		}
	}
}

// network is what is limited together: one address of IPv4; of IPv6 a /64, all
// of which is usually one sender's.
func network(address string) netip.Prefix {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // not reached: the lengths are right
	}
	return prefix
}
