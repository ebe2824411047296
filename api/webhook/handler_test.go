package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
)

type sender struct {
	name, configured string
	delivery         delivery
}

// senders are good deliveries of every kind.
func senders() []sender {
	return []sender{
		{"github", "github", githubDelivery(pushed)},
		{"gitea", "gitea", giteaDelivery(pushed)},
		{"forgejo", "forgejo", forgejoDelivery(pushed)},
		{"gitlab", "gitlab", gitlabDelivery(gitlab)},
		{"gitlab", "gitlab", standardDelivery(gitlab, admintest.Epoch)},
		{"bitbucket", "bitbucket", cloudDelivery(cloud)},
		{"bitbucket", "bitbucket", centerDelivery(center)},
		{"generic", "generic", genericDelivery(`{"branch":"main"}`)},
		{"generic", "generic", genericDelivery(`{"ref":"refs/heads/main"}`)},
		{"generic", "generic", genericDelivery(`{"ref":"main"}`)},
		{"generic", "generic", standardDelivery(pushed, admintest.Epoch).with("X-Gitlab-Event", "")},
	}
}

// A good delivery is a hint, once, whether the kind of sender is configured or told from the headers.
func TestGoodDeliveriesAreStoredOnce(t *testing.T) {
	for i, s := range senders() {
		for _, configured := range []string{"", s.configured} {
			t.Run(fmt.Sprintf("%d %s as %q", i, s.name, configured), func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Provider = configured })
				code, got := r.send(s.delivery)
				if code != http.StatusAccepted || got.Result != ResultStored || got.Generation != 1 || !slices.Equal(got.Branches, []string{"main"}) {
					t.Fatalf("%d %+v\n%s", code, got, &r.log)
				}
				if code, got = r.send(s.delivery); code != http.StatusAccepted || got.Result != ResultDuplicate || r.generation() != 1 {
					t.Errorf("again: %d %+v", code, got)
				}
				for _, e := range []string{"development", "production"} {
					if r.cluster.Environment(e).PollRequested != 1 {
						t.Errorf("%s was not asked to poll", e)
					}
				}
				if r.counts[s.name+" stored"] != 1 || r.counts[s.name+" duplicate"] != 1 {
					t.Errorf("%v", r.counts)
				}
			})
		}
	}
}

// Who is not known is refused before anything of the body is believed.
func TestBadSignaturesAreRefused(t *testing.T) {
	for i, s := range senders() {
		mutated := s.delivery.withBody(s.delivery.body[:len(s.delivery.body)-1] + " ")
		bad := map[string]delivery{
			"truncated": s.delivery.withBody(s.delivery.body[:len(s.delivery.body)/2]),
			"mutated":   mutated,
		}
		if _, token := s.delivery.header["X-Gitlab-Token"]; token { // a token says nothing of the body
			bad = map[string]delivery{"wrong token": s.delivery.with("X-Gitlab-Token", secret+"x"), "no token": s.delivery.with("X-Gitlab-Token", "")}
		}
		for name, value := range s.delivery.header {
			if strings.Contains(name, "Signature") && (strings.HasPrefix(value, "sha256=") || strings.HasPrefix(value, "v1,")) {
				continue
			}
			if strings.Contains(name, "Signature") {
				bad["wrong "+name] = s.delivery.with(name, hexOf("wrong", s.delivery.body))
			}
		}
		unsigned := s.delivery
		for name := range s.delivery.header {
			if strings.Contains(name, "Signature") || strings.Contains(name, "Token") {
				unsigned = unsigned.with(name, "")
			}
		}
		bad["unsigned"] = unsigned
		for what, d := range bad {
			if what == "wrong X-Gitea-Signature" && s.name == "forgejo" {
				continue // Forgejo's own header decides
			}
			r := newRig(t)
			if code, got := r.send(d); code != http.StatusUnauthorized || r.generation() != 0 || got.Reason == "" {
				t.Errorf("%d %s, %s: %d %+v", i, s.name, what, code, got)
			}
		}
		r := newRig(t, func(c *Config) { c.Secret = func() (string, error) { return "another", nil } })
		if code, _ := r.send(s.delivery); code != http.StatusUnauthorized {
			t.Errorf("%d %s, wrong secret: %d", i, s.name, code)
		}
		if strings.Contains(r.log.String(), "another") || strings.Contains(r.log.String(), secret) {
			t.Errorf("the log holds a secret: %s", &r.log)
		}
	}
}

// Two signatures, old algorithms and signed times from long ago count for nothing.
func TestSignaturesThatLookGood(t *testing.T) {
	twice := githubDelivery(pushed).request()
	twice.Header.Add("X-Hub-Signature-256", twice.Header.Get("X-Hub-Signature-256"))
	r := newRig(t)
	recorder := httptest.NewRecorder()
	r.handler.ServeHTTP(recorder, twice)
	if recorder.Code != http.StatusUnauthorized {
		t.Errorf("two signatures: %d", recorder.Code)
	}
	for what, d := range map[string]delivery{
		"SHA-1":            githubDelivery(pushed).with("X-Hub-Signature-256", "", "X-Hub-Signature", "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709"),
		"empty":            githubDelivery(pushed).with("X-Hub-Signature-256", "sha256="),
		"half":             githubDelivery(pushed).with("X-Hub-Signature-256", "sha256="+hexOf(secret, pushed)[:32]),
		"stale":            standardDelivery(gitlab, admintest.Epoch.Add(-6*time.Minute)),
		"early":            standardDelivery(gitlab, admintest.Epoch.Add(6*time.Minute)),
		"other id":         standardDelivery(gitlab, admintest.Epoch).with("Webhook-Id", "msg_2"),
		"other time":       standardDelivery(gitlab, admintest.Epoch).with("Webhook-Timestamp", "1"),
		"no version":       standardDelivery(gitlab, admintest.Epoch).with("Webhook-Signature", "AAAA"),
		"signed and token": standardDelivery(gitlab, admintest.Epoch).with("Webhook-Signature", "v1,AAAA", "X-Gitlab-Token", secret),
	} {
		if code, _ := newRig(t).send(d); code != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, code)
		}
	}
}

// A Standard Webhooks secret may stand for bytes.
func TestStandardSecretOfBytes(t *testing.T) {
	if got := standardKey("whsec_" + "AAEC"); !bytes.Equal(got, []byte{0, 1, 2}) {
		t.Errorf("%v", got)
	}
	for _, text := range []string{"whsec_%%", "plain"} {
		if got := standardKey(text); string(got) != text {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// Where a kind of sender is configured, every other one is refused, good signature or not.
func TestWrongProvider(t *testing.T) {
	for i, s := range senders() {
		for _, configured := range []string{"github", "gitlab", "bitbucket", "gitea", "forgejo", "generic"} {
			p, _ := recognise(s.delivery.request().Header, "")
			if configured == p.name || configured == p.also || p.name == "generic" {
				continue
			}
			r := newRig(t, func(c *Config) { c.Provider = configured })
			if code, got := r.send(s.delivery); code != http.StatusUnauthorized || r.generation() != 0 {
				t.Errorf("%d %s as %s: %d %+v", i, s.name, configured, code, got)
			}
		}
	}
}

func TestWhatIsNoPushIsIgnored(t *testing.T) {
	form := "payload=" + url.QueryEscape(pushed)
	for what, test := range map[string]struct {
		delivery delivery
		status   int
		result   string
	}{
		"ping of GitHub":        {githubDelivery(`{"zen":"Design for failure."}`).with("X-GitHub-Event", "ping"), 200, ResultPing},
		"ping of Data Center":   {centerDelivery(`{"test":true}`).with("X-Event-Key", "diagnostics:ping"), 200, ResultPing},
		"issue":                 {githubDelivery(`{}`).with("X-GitHub-Event", "issues"), 202, ResultIgnored},
		"other branch":          {githubDelivery(`{"ref":"refs/heads/topic"}`), 202, ResultIgnored},
		"tag":                   {githubDelivery(`{"ref":"refs/tags/main"}`), 202, ResultIgnored},
		"deleted":               {githubDelivery(`{"ref":"refs/heads/main","deleted":true}`), 202, ResultIgnored},
		"deleted at Gitea":      {giteaDelivery(`{"ref":"refs/heads/main","after":"0000000000000000000000000000000000000000"}`), 202, ResultIgnored},
		"deleted at GitLab":     {gitlabDelivery(`{"object_kind":"push","ref":"refs/heads/main","after":"000"}`), 202, ResultIgnored},
		"system hook":           {gitlabDelivery(`{"event_name":"project_create"}`).with("X-Gitlab-Event", "System Hook"), 202, ResultIgnored},
		"deleted at Bitbucket":  {cloudDelivery(`{"push":{"changes":[{"new":null}]}}`), 202, ResultIgnored},
		"deleted at the Center": {centerDelivery(`{"changes":[{"type":"DELETE","ref":{"id":"refs/heads/main"}}]}`), 202, ResultIgnored},
		"form":                  {githubDelivery(form).with("Content-Type", "application/x-www-form-urlencoded"), 202, ResultStored},
		"no event":              {githubDelivery(pushed).with("X-GitHub-Event", ""), 202, ResultStored},
		"empty and generic":     {genericDelivery(""), 202, ResultStored},
		"no branch and generic": {genericDelivery(`{"x":1}`), 202, ResultStored},
		"no form":               {githubDelivery("x=1").with("Content-Type", "application/x-www-form-urlencoded"), 400, ""},
		"no JSON":               {githubDelivery("ref"), 400, ""},
		"wrong type":            {githubDelivery(`{"ref":7}`), 400, ""},
		"deep":                  {githubDelivery(strings.Repeat("[", 20000)), 400, ""},
		"no JSON of GitLab":     {gitlabDelivery("x"), 400, ""},
		"no JSON of Bitbucket":  {cloudDelivery("x"), 400, ""},
		"no JSON and generic":   {genericDelivery("x"), 400, ""},
		"read":                  {delivery{method: http.MethodGet}, 405, ""},
	} {
		r := newRig(t)
		code, got := r.send(test.delivery)
		if code != test.status || got.Result != test.result || (r.generation() == 1) != (test.result == ResultStored) {
			t.Errorf("%s: %d %+v", what, code, got)
		}
		if got.Result == ResultIgnored && got.Reason == "" {
			t.Errorf("%s: no reason", what)
		}
	}
}

// A body is read up to one mebibyte, said beforehand or not.
func TestBodyLimit(t *testing.T) {
	at := `{"branch":"main","x":"` + strings.Repeat("x", MaxBodyBytes-24) + `"}`
	if code, got := newRig(t).send(genericDelivery(at)); len(at) != MaxBodyBytes || code != http.StatusAccepted {
		t.Errorf("%d bytes: %d %+v", len(at), code, got)
	}
	past := genericDelivery(at + " ")
	if code, _ := newRig(t).send(past); code != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte more: %d", code)
	}
	unsaid := past.request()
	unsaid.ContentLength = -1
	recorder := httptest.NewRecorder()
	newRig(t).handler.ServeHTTP(recorder, unsaid)
	if recorder.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte more, length unsaid: %d", recorder.Code)
	}
}

// An address may send so much; what it sends too much of is not even read. Others go on.
func TestSourcesAreLimited(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Limits = Limits{SourceRate: 1, SourceBurst: 3, AcceptedRate: 1, AcceptedBurst: 2, AtOnce: 1}
	})
	wrong := githubDelivery(pushed).with("X-Hub-Signature-256", "sha256=00")
	wrong.from = "192.0.2.1:1000"
	for i, want := range []int{401, 401, 401, 429, 429} {
		if code, _ := r.send(wrong); code != want {
			t.Errorf("%d: %d, not %d", i, code, want)
		}
	}
	other := githubDelivery(pushed)
	for i, want := range []int{202, 202, 429} { // the third is past what is accepted from everywhere
		other.from = fmt.Sprintf("[2001:db8:%d::1]:1000", i)
		if code, _ := r.send(other); code != want {
			t.Errorf("%d: %d, not %d", i, code, want)
		}
	}
	r.now = r.now.Add(time.Second)
	if code, _ := r.send(wrong); code != http.StatusUnauthorized {
		t.Errorf("a second later: %d", code)
	}
}

// However many addresses there are, what is remembered of them is bounded.
func TestSourcesAreBounded(t *testing.T) {
	s := newSources(Limits{SourceRate: 1, SourceBurst: 1})
	for i := range 3 * maxSources {
		s.allow(fmt.Sprintf("10.%d.%d.%d:9", i>>16, i>>8&255, i&255), admintest.Epoch)
	}
	if len(s.known) > maxSources {
		t.Errorf("%d addresses", len(s.known))
	}
	if !s.allow("192.0.2.7:1", admintest.Epoch.Add(time.Hour)) {
		t.Error("the quiet ones were not forgotten")
	}
	if network("[2001:db8::1%eth0]:1") != network("[2001:db8::2]:1") || network("192.0.2.1:1") != network("[::ffff:192.0.2.1]:2") {
		t.Error("one network is taken for two")
	}
}

// endless is a body whose sender stops in the middle.
type endless struct{ begun, release chan struct{} }

func (e *endless) Read([]byte) (int, error) {
	close(e.begun)
	<-e.release
	return 0, io.ErrUnexpectedEOF
}

// Slow senders take their own places, not the memory.
func TestSlowSendersAreBounded(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Limits = DefaultLimits()
		c.Limits.AtOnce = 1
	})
	slow := &endless{begun: make(chan struct{}), release: make(chan struct{})}
	request := githubDelivery(pushed).request()
	request.Body = io.NopCloser(slow)
	recorder, done := httptest.NewRecorder(), make(chan struct{})
	go func() { defer close(done); r.handler.deliver(recorder, request) }()
	<-slow.begun
	if code, _ := r.send(githubDelivery(pushed)); code != http.StatusTooManyRequests {
		t.Errorf("while another is read: %d", code)
	}
	close(slow.release)
	<-done
	if code, _ := r.send(githubDelivery(pushed)); code != http.StatusAccepted {
		t.Errorf("afterwards: %d", code)
	}
}

// What cannot be stored is said to be worth another try, and why stays in the log.
func TestStoreFails(t *testing.T) {
	r := newRig(t)
	r.failing = errors.New("no quorum at 10.0.0.7")
	code, got := r.send(githubDelivery(pushed))
	if code != http.StatusServiceUnavailable || strings.Contains(got.Reason, "10.0.0.7") || !strings.Contains(r.log.String(), "10.0.0.7") {
		t.Errorf("%d %+v\n%s", code, got, &r.log)
	}
	r = newRig(t, func(c *Config) {
		c.Secret = func() (string, error) { return "", errors.New("environment variable HOOK is not set") }
	})
	if code, got := r.send(githubDelivery(pushed)); code != http.StatusServiceUnavailable || strings.Contains(got.Reason, "HOOK") {
		t.Errorf("%d %+v", code, got)
	}
	r = newRig(t, func(c *Config) { c.Branches = func() []string { return []string{"gone"} } })
	if code, got := r.send(githubDelivery(`{"ref":"refs/heads/gone"}`)); code != http.StatusAccepted || got.Result != ResultIgnored {
		t.Errorf("a branch that is not watched any more: %d %+v", code, got)
	}
	r = newRig(t, func(c *Config) {
		c.Now = func() time.Time { return admintest.Epoch.Add(100 * time.Hour) }
	})
	if code, _ := r.send(githubDelivery(pushed)); code != http.StatusServiceUnavailable {
		t.Errorf("with a clock that is far off: %d", code)
	}
}

// The same number with another body is another delivery: numbers are not signed.
func TestNumbersAreNotTrusted(t *testing.T) {
	r := newRig(t)
	r.send(githubDelivery(pushed))
	if _, got := r.send(githubDelivery(pushed + " ")); got.Result != ResultStored {
		t.Errorf("%+v", got)
	}
	d := genericDelivery(`{"branch":"main"}`).with("X-Delivery-Id", "")
	for range 2 {
		if _, got := r.send(d); got.Result != ResultStored {
			t.Errorf("without a number: %+v", got)
		}
	}
	if id := requestID("github", strings.Repeat("x", 10000), "main", nil); len(id) > 128 {
		t.Errorf("a request id of %d bytes", len(id))
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := newRig(t).handler.Config
	for _, spoil := range []func(*Config){
		func(c *Config) { c.Secret = nil }, func(c *Config) { c.Proposer = nil }, func(c *Config) { c.Branches = nil },
		func(c *Config) { c.Logger = nil }, func(c *Config) { c.Provider = "sourceforge" },
	} {
		bad := good
		spoil(&bad)
		if _, err := New(bad); !errors.Is(err, ErrConfig) {
			t.Errorf("%v", err)
		}
	}
	good.Now, good.Observe, good.Limits = nil, nil, Limits{}
	h, err := New(good)
	if err != nil || h.Limits != DefaultLimits() || h.Now().IsZero() {
		t.Errorf("%+v, %v", h, err)
	}
	h.Observe("", "")
	if _, err := (&rig{failing: io.EOF}).Propose(context.Background(), "", 0, nil, nil); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestBranchNames(t *testing.T) {
	for ref, branch := range map[string]string{"refs/heads/main": "main", "refs/heads/release/2": "release/2", "refs/heads/": "", "refs/tags/v1": "", "main": "", "": ""} {
		if got := ofRef(ref, false); strings.Join(got.branches, " ") != branch || (got.ignored == "") != (branch != "") {
			t.Errorf("%q: %+v", ref, got)
		}
	}
}
