package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// statusInterval is how often the line that `systemctl status` shows is renewed.
const statusInterval = 10 * time.Second

// supervision tells systemd, or whoever set NOTIFY_SOCKET, how the node is
// (sd_notify(3)): that it serves, that it is alive, that it stops. A node is
// alive while it can say how it is, and its replication answers; then, and only
// then, the watchdog gets its heartbeat.
type supervision struct {
	// notify sends one datagram; it reports false if nobody listens.
	notify func(state string) (bool, error)
	// watchdog is the time after which systemd ends a silent process; 0 without one.
	watchdog time.Duration
	// check says how the node is, and may hang if the node does.
	check  func() string
	logger *slog.Logger
}

func newSupervision(a *app, logger *slog.Logger) (*supervision, error) {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, err
	}
	return &supervision{
		notify: func(state string) (bool, error) { return daemon.SdNotify(false, state) },
		check: func() string {
			a.cluster.Stats() // takes every lock of replication
			return a.health.Summary()
		},
		watchdog: watchdog, logger: logger,
	}, nil
}

// run reports until the context ends. It returns at once where nobody listens.
func (s *supervision) run(ctx context.Context) {
	if !s.say(ctx, daemon.SdNotifyReady) {
		return
	}
	interval := statusInterval
	if s.watchdog > 0 {
		interval = min(interval, s.watchdog/3)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	answers := make(chan string, 1)
	asked := false
	for {
		if !asked {
			// Not waited for: a node that hangs never answers, and its process is about to be ended.
			go func() { answers <- s.check() }()
			asked = true
		}
		select {
		case <-ctx.Done():
			s.say(context.WithoutCancel(ctx), daemon.SdNotifyStopping)
			return
		case summary := <-answers:
			s.say(ctx, daemon.SdNotifyWatchdog+"\nSTATUS="+strings.ReplaceAll(summary, "\n", " "))
			select {
			case <-ctx.Done():
			case <-ticker.C:
				asked = false
			}
		}
	}
}

// reload reports around what reads the configuration again.
func (s *supervision) reload(ctx context.Context, work func()) {
	s.say(ctx, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
	work()
	s.say(ctx, daemon.SdNotifyReady)
}

func (s *supervision) say(ctx context.Context, state string) bool {
	heard, err := s.notify(state)
	if err != nil {
		s.logger.WarnContext(ctx, "systemd was not told", "error", err)
	}
	return heard
}
