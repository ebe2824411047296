package acceptance

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// hook sends a delivery as GitHub does and returns status and result.
func hook(t *testing.T, n *harness.Node, id, secret, body string) (int, string) {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.HTTP+"/webhooks/git", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-GitHub-Delivery", id)
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct{ Result string }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, got.Result
}

// A webhook at any node makes the cluster poll, long before the interval is over. A repetition at another node does
// nothing; who does not know the secret does nothing; a secret whose file changes counts at once.
func TestWebhookAtAnyNode(t *testing.T) {
	t.Parallel()
	const body = `{"ref":"refs/heads/main","repository":{"clone_url":"https://192.0.2.1/evil.git"},"commits":[{"removed":["environments/development/metadata.json"]}]}`
	secrets := filepath.Join(t.TempDir(), "hook")
	write := func(secret string) {
		if err := os.WriteFile(secrets, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first secret")
	c := harness.Start(t, harness.Options{PollSeconds: 3600, Adjust: func(_ *harness.Node, settings harness.Section) {
		settings["GitOps"].(harness.Section)["Webhook"] = harness.Section{"Secret": "${file:" + secrets + "}"}
	}})
	for i, n := range c.Nodes {
		commit := c.Repo.AddLayer(development, fmt.Sprintf("layer%d", i))
		if code, _ := hook(t, n, "bad", "guessed", body); code != http.StatusUnauthorized {
			t.Fatalf("%s: status %d for a wrong secret", n.ID, code)
		}
		if code, result := hook(t, n, fmt.Sprint(i), "first secret", body); code != http.StatusAccepted || result != "stored" {
			t.Fatalf("%s: status %d, %s", n.ID, code, result)
		}
		c.AwaitServed(development, commit)
		other := c.Nodes[(i+1)%len(c.Nodes)]
		if code, result := hook(t, other, fmt.Sprint(i), "first secret", body); code != http.StatusAccepted || result != "duplicate" {
			t.Errorf("%s: status %d, %s for a repetition", other.ID, code, result)
		}
	}
	if code, result := hook(t, c.Nodes[0], "x", "first secret", `{"ref":"refs/heads/topic"}`); code != http.StatusAccepted || result != "ignored" {
		t.Errorf("another branch: status %d, %s", code, result)
	}
	write("second secret")
	if code, _ := hook(t, c.Nodes[0], "y", "first secret", body); code != http.StatusUnauthorized {
		t.Errorf("status %d for the secret of before", code)
	}
	commit := c.Repo.AddLayer(development, "last")
	if code, result := hook(t, c.Nodes[0], "z", "second secret", body); code != http.StatusAccepted || result != "stored" {
		t.Errorf("status %d, %s for the new secret", code, result)
	}
	c.AwaitServed(development, commit)
	audited := c.CLI("audit", "list", "-o", "json").Expect(t, 0).Out
	if n := strings.Count(audited, `"webhook github"`); n != 4 {
		t.Errorf("%d audit records of four hints:\n%s", n, audited)
	}
	checkWebhookTraces(t, c)
}

// Deliveries are counted, and the secrets stand nowhere.
func checkWebhookTraces(t *testing.T, c *harness.Cluster) {
	t.Helper()
	metrics, err := c.Nodes[0].Get(t.Context(), "/metrics")
	if err != nil || !bytes.Contains(metrics.Body, []byte(`honua_webhook_deliveries_total{provider="github",result="stored"} 2`)) {
		t.Errorf("%v\n%s", err, metrics.Body)
	}
	for _, n := range c.Nodes {
		for _, secret := range []string{"first secret", "second secret", "evil.git"} {
			if strings.Contains(n.Log(), secret) {
				t.Errorf("%s logs %q", n.ID, secret)
			}
		}
	}
}
