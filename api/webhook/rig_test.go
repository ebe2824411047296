package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const secret = "correct horse battery staple"

// rig is a handler in front of a state machine that is real.
type rig struct {
	t       testing.TB
	cluster *admintest.Node
	handler *Handler
	now     time.Time
	log     strings.Builder
	counts  map[string]int
	failing error
}

func newRig(t testing.TB, alter ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, cluster: admintest.New(t), now: admintest.Epoch, counts: map[string]int{}}
	cfg := Config{
		Secret:   func() (string, error) { return secret, nil },
		Proposer: r, Branches: func() []string { return []string{"main", "release/2"} },
		Logger:  slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:     func() time.Time { return r.now },
		Observe: func(provider, result string) { r.counts[provider+" "+result]++ },
	}
	for _, a := range alter {
		a(&cfg)
	}
	var err error
	if r.handler, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

// Propose applies a command, as a leader would.
func (r *rig) Propose(_ context.Context, requestID string, issuedAt int64, caller *pb.Caller, payload *pb.Payload) (fsm.Result, error) {
	if r.failing != nil {
		return fsm.Result{}, r.failing
	}
	return r.cluster.Apply(fsm.Header{RequestID: requestID, IssuedAt: issuedAt, Caller: caller}, payload), nil
}

// generation is the newest hint that is stored.
func (r *rig) generation() uint64 { return r.cluster.Store().State().Meta().PollGeneration }

// delivery is one request before it is sent.
type delivery struct {
	method string
	header map[string]string
	body   string
	from   string
}

// with is a delivery with other headers; empty ones are taken away.
func (d delivery) with(headers ...string) delivery {
	changed := delivery{method: d.method, body: d.body, from: d.from, header: map[string]string{}}
	for name, value := range d.header {
		changed.header[name] = value
	}
	for i := 0; i < len(headers); i += 2 {
		changed.header[headers[i]] = headers[i+1]
		if headers[i+1] == "" {
			delete(changed.header, headers[i])
		}
	}
	return changed
}

func (d delivery) withBody(body string) delivery {
	d.body = body
	return d
}

func (d delivery) request() *http.Request {
	method := d.method
	if method == "" {
		method = http.MethodPost
	}
	request := httptest.NewRequest(method, "/webhooks/git", io.NopCloser(strings.NewReader(d.body)))
	request.ContentLength = int64(len(d.body))
	for name, value := range d.header {
		request.Header.Set(name, value)
	}
	if d.from != "" {
		request.RemoteAddr = d.from
	}
	return request
}

func (r *rig) send(d delivery) (int, answer) {
	r.t.Helper()
	recorder := httptest.NewRecorder()
	r.handler.ServeHTTP(recorder, d.request())
	return decoded(r.t, recorder)
}

func decoded(t testing.TB, recorder *httptest.ResponseRecorder) (int, answer) {
	t.Helper()
	var got struct {
		answer
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
		t.Fatalf("answer %d %q: %v", recorder.Code, recorder.Body, err)
	}
	if got.Detail != "" {
		got.answer.Reason = got.Detail
	}
	return recorder.Code, got.answer
}

func hexOf(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

const (
	pushed = `{"ref":"refs/heads/main","after":"0a1b","repository":{"clone_url":"https://evil.example/x.git"},"commits":[{"added":["environments/production/metadata.json"]}]}`
	cloud  = `{"push":{"changes":[{"new":{"type":"tag","name":"v1"}},{"new":null},{"new":{"type":"branch","name":"main"}}]}}`
	center = `{"changes":[{"type":"UPDATE","ref":{"id":"refs/heads/main","displayId":"main","type":"BRANCH"}}]}`
	gitlab = `{"object_kind":"push","event_name":"push","ref":"refs/heads/main","after":"0a1b"}`
)

func githubDelivery(body string) delivery {
	return delivery{body: body, header: map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "72d3162e", "X-Hub-Signature-256": "sha256=" + hexOf(secret, body),
	}}
}

// giteaDelivery carries what Gitea sends, GitHub's headers among it.
func giteaDelivery(body string) delivery {
	return githubDelivery(body).with("X-Gitea-Event", "push", "X-Gitea-Delivery", "f6266f16", "X-Gitea-Signature", hexOf(secret, body))
}

func forgejoDelivery(body string) delivery {
	return giteaDelivery(body).with("X-Forgejo-Event", "push", "X-Forgejo-Delivery", "a4266f16", "X-Forgejo-Signature", hexOf(secret, body))
}

func gitlabDelivery(body string) delivery {
	return delivery{body: body, header: map[string]string{"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": secret, "Idempotency-Key": "8ad1"}}
}

func standardDelivery(body string, at time.Time) delivery {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("msg_1." + stamp + "." + body))
	return delivery{body: body, header: map[string]string{
		"X-Gitlab-Event": "Push Hook", "Webhook-Id": "msg_1", "Webhook-Timestamp": stamp,
		"Webhook-Signature": "v1,AAAA v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}}
}

func cloudDelivery(body string) delivery {
	return delivery{body: body, header: map[string]string{"X-Event-Key": "repo:push", "X-Request-UUID": "11", "X-Hub-Signature": "sha256=" + hexOf(secret, body)}}
}

func centerDelivery(body string) delivery {
	return delivery{body: body, header: map[string]string{"X-Event-Key": "repo:refs_changed", "X-Request-Id": "12", "X-Hub-Signature": "sha256=" + hexOf(secret, body)}}
}

func genericDelivery(body string) delivery {
	return delivery{body: body, header: map[string]string{"X-Signature": "sha256=" + hexOf(secret, body), "X-Delivery-Id": "7"}}
}
