package memnet

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

func TestWeatherDelaysAndResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		client, _ := dialed(t, n)
		n.SetWeather(Weather{Random: rand.New(rand.NewPCG(1, 1)), Lag: time.Second})
		begun := time.Now()
		for range 10 {
			if _, err := client.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took < time.Second || took > 10*time.Second {
			t.Errorf("ten writes took %s", took)
		}
		n.SetWeather(Weather{Random: rand.New(rand.NewPCG(1, 1)), Reset: 1})
		if _, err := client.Write([]byte("x")); !errors.Is(err, ErrReset) {
			t.Errorf("a write to a broken connection: %v", err)
		}
	})
}

func TestWeatherLosesAndRepeatsPackets(t *testing.T) {
	for _, test := range []struct {
		weather Weather
		want    int
	}{{Weather{Loss: 1}, 0}, {Weather{Repeat: 1}, 2}, {Weather{}, 1}} {
		test.weather.Random = rand.New(rand.NewPCG(1, 1))
		if got := test.weather.packet(); got != test.want {
			t.Errorf("%+v: a packet arrives %d times, want %d", test.weather, got, test.want)
		}
	}
}
