package duration

import (
	"errors"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	cases := map[string]time.Duration{
		"00:00:00": 0, "00:00:30": 30 * time.Second, "04:00:00": 4 * time.Hour, "24:00:00": 24 * time.Hour,
		"100:00:01": 100*time.Hour + time.Second, "1.00:00:00": 24 * time.Hour, "2.03:04:05": 51*time.Hour + 4*time.Minute + 5*time.Second,
		"00:00:01.5": 1500 * time.Millisecond, "00:00:00.000000001": 1, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "0": 0,
	}
	for text, want := range cases {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "abc", "10", "-1s", "-01:00:00", "01:00", "1:2:3:4", "00:60:00", "00:00:60", "1.24:00:00", "+1:00:00",
		"00:00:00.", "00:00:00.1234567890", "a:b:c", "1.2.03:04:05", "99999999999999999999:00:00", "200000.00:00:00", "01:00:00 ",
	} {
		if got, err := Parse(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("Parse(%q) = %v, %v; want ErrInvalid", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"24:00:00", "1.02:03:04.5", "1h", "-1s", "x", "::", "00:00:00.000000001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(Format(d)); err != nil || again != d {
			t.Fatalf("Parse(Format(%v)) = %v, %v", d, again, err)
		}
	})
}

func TestFormatNegative(t *testing.T) {
	if got := Format(-90 * time.Second); got != "-00:01:30" {
		t.Fatal(got)
	}
}
