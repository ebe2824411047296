package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
)

const hookSecret = "a secret for measurements"

// webhook measures from a signed delivery, to one node after another, until every node serves what was pushed.
func webhook(ctx context.Context, b *bench) error {
	for _, s := range []size{{"http", 3, 1}, {"http", 3, 100}, {"http", 5, 1}} {
		err := b.deployed(ctx, "webhook", s, 150, func(ctx context.Context, d *deploying, round int) (time.Duration, error) {
			to := d.cluster.nodes[round%len(d.cluster.nodes)]
			return d.triggered(ctx, s.layers-1, fmt.Sprintf("hooked-%d", round), func(*client.Client) error {
				return deliver(ctx, to, fmt.Sprint(round))
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// deliver sends what GitHub sends after a push.
func deliver(ctx context.Context, to *node, id string) error {
	const body = `{"ref":"refs/heads/main"}`
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(body))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+to.http+"/webhooks/git", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-GitHub-Delivery", id)
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := drain(answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%s answers a webhook with %s", to.id, answer.Status)
	}
	return nil
}
