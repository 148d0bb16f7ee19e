// Command browser uses the page of a server, whose address is its argument, in a
// real Chromium, whose path is the next, and prints what it sees for
// TestPageInBrowser. Pictures go to the folder that is the third, if there is one.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func main() {
	v := &visitor{address: os.Args[1]}
	if len(os.Args) > 3 {
		v.pictures = os.Args[3]
	}
	if err := v.visit(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// visitor is somebody with a browser.
type visitor struct {
	context.Context
	address  string
	pictures string   // "" for none
	wrong    []string // what the browser complains about
}

// patience is how long the whole visit may take.
const patience = 3 * time.Minute

func (v *visitor) visit(chromium string) error {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, patience)
	defer cancel()
	v.Context = ctx
	chromedp.ListenTarget(ctx, v.listen)
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"open", v.open}, {"key", v.key}, {"run", v.run}, {"stop", v.stop}, {"keys", v.keys}, {"save", v.save}, {"hostile", v.hostile},
		{"chat", v.chat}, {"explain", v.explain}, {"pictures", v.picture},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	if len(v.wrong) > 0 {
		return fmt.Errorf("the browser complains: %s", strings.Join(v.wrong, "; "))
	}
	return nil
}

// listen notes exceptions, and what the policy of the page has refused.
func (v *visitor) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		v.wrong = append(v.wrong, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && !strings.Contains(e.Entry.Text, "status of 401") {
			v.wrong = append(v.wrong, e.Entry.Text)
		}
	}
}

func (v *visitor) do(actions ...chromedp.Action) error { return chromedp.Run(v, actions...) }

// see prints what an expression gives.
func (v *visitor) see(name, expression string) error {
	var text string
	if err := v.do(chromedp.Evaluate("String("+expression+")", &text)); err != nil {
		return err
	}
	fmt.Printf("%s %q\n", name, text)
	return nil
}

// until waits for an expression to be true. The page's policy forbids what chromedp
// polls with.
func until(expression string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			done := false
			if err := chromedp.Evaluate(expression, &done).Do(ctx); err != nil || done {
				return err
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("waiting for %s: %w", expression, ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

// fill writes into a field as if by hand.
func fill(id, text string) chromedp.Action {
	return chromedp.Tasks{put(id, ""), chromedp.SendKeys("#"+id, text, chromedp.ByQuery)}
}

// put puts a text into a field, whatever keys it would take.
func put(id, text string) chromedp.Action {
	value, err := json.Marshal(text)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return chromedp.Evaluate(fmt.Sprintf("document.getElementById(%q).value = %s", id, value), nil)
}

func click(selector string) chromedp.Action { return chromedp.Click(selector, chromedp.ByQuery) }

const (
	idle    = `!document.querySelector("#run").disabled`
	written = `[...document.querySelectorAll("#text .model")].map((e) => e.textContent).join("|")`
	prompt  = "func main() {\n"
)

func (v *visitor) open() error {
	if err := v.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(v.address+"/"), chromedp.WaitVisible("#door", chromedp.ByQuery)); err != nil {
		return err
	}
	return v.see("door", `document.querySelector("#status").textContent`)
}

// key enters the key, after a wrong one.
func (v *visitor) key() error {
	for _, key := range []string{"wrong", "secret"} {
		if err := v.do(fill("key", key+kb.Enter)); err != nil {
			return err
		}
	}
	if err := v.do(chromedp.WaitNotVisible("#door", chromedp.ByQuery), chromedp.WaitVisible("#states", chromedp.ByQuery)); err != nil {
		return err
	}
	return v.see("model", "document.title")
}

// run has a text continued greedily.
func (v *visitor) run() error {
	if err := v.do(fill("temperature", "0"), fill("max_tokens", "24"), fill("prompt", prompt), shortcut(), until(idle+` && `+written+` !== ""`)); err != nil {
		return err
	}
	return v.see("written", written)
}

// shortcut presses Ctrl and Enter in the prompt.
func shortcut() chromedp.Action {
	return chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2))
}

// stop has a long text stopped by Esc.
func (v *visitor) stop() error {
	if err := v.do(click("#anew"), fill("max_tokens", "4096"), fill("prompt", "package main\n"), click("#run"), until(written+` !== ""`),
		chromedp.KeyEvent(kb.Escape), until(idle)); err != nil {
		return err
	}
	return v.see("stopped", `document.querySelector("#speed").textContent.endsWith("stopped")`)
}

// keys goes from field to field without a mouse.
func (v *visitor) keys() error {
	if err := v.do(chromedp.Focus("#prompt", chromedp.ByQuery), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab)); err != nil {
		return err
	}
	return v.see("keys", `document.activeElement.id + " " + (getComputedStyle(document.activeElement).outlineStyle !== "none") + " " + `+
		`[...document.querySelectorAll("input, textarea")].every((e) => e.labels.length > 0)`)
}

// save saves a text as a state, comes again, goes on from it, and forks it.
func (v *visitor) save() error {
	err := v.do(click("#anew"), fill("max_tokens", "24"), fill("prompt", prompt), click("#run"), until(idle+` && `+written+` !== ""`),
		fill("name", "begun"), fill("label", "a <b>beginning</b>"), click("#save button"), until(`document.querySelector("#base-name").textContent === "begun"`),
		chromedp.Reload(), chromedp.WaitVisible("#door", chromedp.ByQuery), fill("key", "secret"+kb.Enter),
		chromedp.WaitVisible("#states", chromedp.ByQuery), click(`#tree input[value="begun"]`), fill("temperature", "0"), fill("max_tokens", "24"),
		click("#run"), until(idle+` && `+written+` !== ""`))
	if err != nil {
		return err
	}
	if err := v.see("continued", written); err != nil {
		return err
	}
	if err := v.do(click(`#tree button[aria-label="Fork begun"]`), until(`document.querySelector("#base-name").textContent === "begun-2"`)); err != nil {
		return err
	}
	return v.see("tree", `document.querySelector('#tree ul ul input[value="begun-2"]') !== null && document.querySelector("#tree b") === null`)
}

// hostile is text that would like to be more.
func (v *visitor) hostile() error {
	err := v.do(click(`#tree input[value=""]`), fill("max_tokens", "1"), fill("prompt", `<img src=x onerror="document.title='bad'">`), click("#run"), until(idle+` && document.querySelector("#text").textContent.startsWith("<img")`))
	if err != nil {
		return err
	}
	return v.see("hostile", `document.images.length + " " + document.title`)
}

func (v *visitor) chat() error {
	err := v.do(click(`[name=mode][value=chat]`), fill("max_tokens", "24"), fill("prompt", prompt), click("#run"), until(idle+` && `+written+` !== ""`))
	if err != nil {
		return err
	}
	return v.see("chat", written)
}

// source is what is explained.
const source = "package main\n\nimport \"fmt\"\n\n// main greets <b>all</b>.\nfunc main() {\n\tfor i := range 10 {\n\t\tfmt.Println(\"hello\", i)\n\t}\n}\n"

func (v *visitor) explain() error {
	err := v.do(put("explained", source), click("#explain button"), chromedp.WaitVisible("#map table", chromedp.ByQuery))
	if err != nil {
		return err
	}
	if err := v.see("heated", `document.querySelector("#map .heated").textContent.replaceAll("↵", "")`); err != nil {
		return err
	}
	return v.see("cells", `document.querySelectorAll("#map td.s0, #map td.s8").length > 0 && document.querySelectorAll("#map td").length === `+
		`document.querySelectorAll("#map tbody tr").length * document.querySelector("#explain-said").textContent.match(/(\d+) layers/)[1]`)
}
