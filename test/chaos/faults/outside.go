//go:build linux

package faults

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/gitserver"
	"github.com/honua-io/honua-gitops/test/harness"
)

// mislead has the repository's server fail in some way, or rewrites the branch.
func (d *Doer) mislead(ctx context.Context, a *history.Applied) error {
	if !d.takeGit() {
		return ErrNobody
	}
	defer d.releaseGit()
	a.Done = true
	random := rand.New(rand.NewPCG(a.Seed, 0))
	if a.Variant == "rewrite" {
		a.Note = "the branch is now " + d.Repository.Rewrite(random)
		return nil
	}
	phases := []gitserver.Phase{gitserver.Advertise, gitserver.List, gitserver.Fetch}
	phases = phases[random.IntN(len(phases)):]
	for _, phase := range phases {
		d.Git.Behave(phase, misbehaviour(a.Variant, random))
	}
	lasting(ctx, a)
	for _, phase := range phases {
		d.Git.Behave(phase, nil)
	}
	return nil
}

func misbehaviour(variant string, random *rand.Rand) gitserver.Behaviour {
	switch variant {
	case "hang":
		return gitserver.Hang()
	case "page":
		return gitserver.Page()
	case "empty":
		return gitserver.Body("")
	case "truncate":
		return gitserver.Truncate(random.IntN(2000))
	case "cut":
		return gitserver.TruncateTail(1 + random.IntN(200))
	case "corrupt":
		return gitserver.Corrupt(random.IntN(4000) - 2000)
	case "flood":
		return gitserver.Flood("0000garbage")
	default:
		return gitserver.Status([]int{403, 404, 429, 500, 502, 503}[random.IntN(6)])
	}
}

func (d *Doer) takeGit() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.git {
		return false
	}
	d.git = true
	return true
}

func (d *Doer) releaseGit() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.git = false
}

// stormEvery is the pause between two webhooks.
const stormEvery = 20 * time.Millisecond

// storm sends webhooks to all nodes, one after the other. A forged one that is accepted is an error.
func (d *Doer) storm(ctx context.Context, a *history.Applied) error {
	a.Done = true
	forged := a.Variant == "forged"
	answers := map[int]int{}
	for sent := 0; time.Since(d.Begun) < a.From+a.For; sent++ {
		n := d.Cluster.Nodes[sent%len(d.Cluster.Nodes)]
		code, err := d.deliver(ctx, n, fmt.Sprintf("%d-%d", a.Number, sent), forged)
		if err == nil {
			answers[code]++
		}
		if forged && code == http.StatusAccepted {
			return errors.New("a forged webhook was accepted")
		}
		if !harness.Pause(ctx, stormEvery) {
			break
		}
	}
	a.Note = fmt.Sprintf("answers by status: %v", answers)
	return nil
}

// deliver sends what GitHub sends after a push, and returns the status.
func (d *Doer) deliver(ctx context.Context, n *harness.Node, id string, forged bool) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	body := []byte(`{"ref":"refs/heads/main"}`)
	secret := d.WebhookSecret
	if forged {
		secret += "?"
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.HTTP+"/webhooks/git", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Close = true
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-GitHub-Delivery", id)
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}
