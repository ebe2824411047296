package auth

import (
	"errors"
	"strings"
	"testing"
)

func TestTokensHaveOneSpelling(t *testing.T) {
	token, err := NewToken()
	if err != nil {
		t.Fatal(err)
	}
	another, err := NewToken()
	if err != nil || token == another {
		t.Fatalf("%v, twice the same: %v", err, token == another)
	}
	first, err := HashToken(token)
	if err != nil || len(token) != len(TokenPrefix)+52 {
		t.Fatalf("%d characters, %v", len(token), err)
	}
	if second, _ := HashToken(another); second == first {
		t.Error("two tokens have one hash")
	}
	last := token[len(token)-1]
	for name, text := range map[string]string{
		"empty": "", "prefix alone": TokenPrefix, "no prefix": token[len(TokenPrefix):], "upper case": strings.ToUpper(token),
		"short": token[:len(token)-1], "long": token + "a", "space": token + " ", "padding": token + "====",
		"another last character": token[:len(token)-1] + string(last^1), "JWT": "a.b.c",
	} {
		if _, err := HashToken(text); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is sent, it is refused in order, and what is accepted is spelled as NewToken does.
func FuzzHashToken(f *testing.F) {
	token, err := NewToken()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", token, TokenPrefix, TokenPrefix + strings.Repeat("a", 52), strings.ToUpper(token), "a.b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := HashToken(text); err == nil && (len(text) != len(token) || strings.ToLower(text) != text) {
			t.Errorf("%q is taken for a token", text)
		}
	})
}

func TestBearer(t *testing.T) {
	long := strings.Repeat("a", maxBearer)
	for name, test := range map[string]struct {
		values []string
		want   string
		err    bool
	}{
		"plain":               {[]string{"Bearer abc"}, "abc", false},
		"any case":            {[]string{"bEARER abc"}, "abc", false},
		"longest":             {[]string{"Bearer " + long}, long, false},
		"one longer":          {[]string{"Bearer " + long + "a"}, "", true},
		"another scheme":      {[]string{"Basic abc"}, "", true},
		"nothing":             {[]string{"Bearer "}, "", true},
		"no scheme":           {[]string{"abc"}, "", true},
		"two headers":         {[]string{"Bearer abc", "Bearer def"}, "", true},
		"two tokens":          {[]string{"Bearer abc def"}, "", true},
		"control":             {[]string{"Bearer a\x00b"}, "", true},
		"all characters of 1": {[]string{"Bearer aZ09-._~+/="}, "aZ09-._~+/=", false},
	} {
		got, err := parseBearer(test.values)
		if got != test.want || (err != nil) != test.err {
			t.Errorf("%s: %.20q, %v", name, got, err)
		}
	}
}

func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"", "Bearer abc", "bearer", "Basic YTpi", "Bearer a b", "Bearer \xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := parseBearer([]string{header})
		if err == nil && (token == "" || strings.ContainsAny(token, " \t\r\n\x00")) {
			t.Errorf("%q is taken for the token %q", header, token)
		}
	})
}

func TestGrants(t *testing.T) {
	grants, err := ParseGrants("viewer", "approver@production", "deployer@production")
	if err != nil || len(grants) != 2 || grants["production"].String() != "approver" || grants["*"].String() != "viewer" {
		t.Errorf("%v, %v", grants, err)
	}
	for _, text := range []string{"", "owner", "none", "approver@", "@production"} {
		if _, err := ParseGrants(text); !errors.Is(err, ErrGrant) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
