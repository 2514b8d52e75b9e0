import { expect } from 'chai';
import { Markup, markup } from '../../../src/compare/report/markup.js';

describe('compare report: markup', () => {
  it('escapes what is put in, for text and attributes', () => {
    const { text } = markup`<a title="${`"'&<>`}">${'<b>'}</a>`;
    expect(text).to.equal('<a title="&quot;&#39;&amp;&lt;&gt;">&lt;b&gt;</a>');
  });

  it('takes markup, and lists of it, as it is', () => {
    expect(markup`<p>${[markup`<i>${'&'}</i>`, new Markup('<br>')]}${undefined}</p>`.text).to.equal(
      '<p><i>&amp;</i><br></p>',
    );
  });

  it('writes numbers to a hundredth', () => {
    expect(markup`${1 / 3} ${2} ${-0.001}`.text).to.equal('0.33 2 0');
  });

  it('replaces what XML forbids and what turns the direction of text', () => {
    expect(markup`${'a\u0000\u001b\u202e\ud800\uffffb'}`.text).to.equal('a\ufffd\ufffd\ufffd\ufffd\ufffdb');
  });
});
