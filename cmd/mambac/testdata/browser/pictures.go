package main

import (
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// looks are how the page is looked at.
var looks = []struct {
	name, scheme  string
	width, height int64
}{
	{"light", "light", 1280, 900},
	{"dark", "dark", 1280, 900},
	{"phone", "light", 360, 740},
	{"phone-dark", "dark", 360, 740},
}

// picture looks at the page in every way: it is never wider than the screen.
func (v *visitor) picture() error {
	if err := v.do(click(`[name=mode][value=text]`), click(`#tree input[value="begun"]`), put("prompt", "\tx := 1\n"), click("#run"), until(idle+` && `+written+` !== ""`)); err != nil {
		return err
	}
	for _, l := range looks {
		if l.width < 600 {
			if err := v.do(chromedp.Evaluate(`document.querySelector("#sampling").open = false`, nil)); err != nil {
				return err
			}
		}
		var picture []byte
		err := v.do(chromedp.EmulateViewport(l.width, l.height),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}),
			chromedp.FullScreenshot(&picture, 100))
		if err != nil {
			return err
		}
		if err := v.see(l.name, `document.documentElement.scrollWidth <= innerWidth`); err != nil {
			return err
		}
		if v.pictures == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(v.pictures, l.name+".png"), picture, 0o666); err != nil {
			return err
		}
	}
	return nil
}
