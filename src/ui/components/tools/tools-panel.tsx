import type { VNode } from 'preact';
import { usePage } from '../../state/page.ts';
import type { Confirmation, ToolServerFacts } from '../../state/tools.ts';
import { strings } from '../../strings/strings.ts';

const confirmations: readonly Confirmation[] = ['always', 'writes', 'never'];

/** Servers with their tools, and when a person is asked. */
export function ToolsPanel(): VNode {
  const { tools } = usePage();
  const t = strings.value.tools;
  return (
    <>
      <label class="field">
        {t.ask}
        <select
          value={tools.choice.value.confirm}
          onChange={({ currentTarget }) => {
            const chosen = confirmations.find((each) => each === currentTarget.value);
            if (chosen) tools.confirm(chosen);
          }}
        >
          {confirmations.map((each) => (
            <option key={each} value={each}>
              {t.confirm[each]}
            </option>
          ))}
        </select>
      </label>
      {tools.problem.value !== undefined && (
        <p class="failed" role="alert">
          {tools.problem.value}
        </p>
      )}
      {tools.servers.value.map((server) => (
        <ServerTools key={server.name} server={server} />
      ))}
    </>
  );
}

function ServerTools({ server }: { readonly server: ToolServerFacts }): VNode {
  const { tools, server: page } = usePage();
  const t = strings.value.tools;
  const on = server.tools.filter((tool) => tools.isOn(tool));
  const isAll = server.tools.length > 0 && on.length === server.tools.length;
  return (
    <fieldset class="tool-server" data-state={server.state}>
      <legend>
        <label>
          <input
            type="checkbox"
            checked={isAll}
            ref={(box) => {
              if (box) box.indeterminate = on.length > 0 && !isAll;
            }}
            disabled={server.tools.length === 0}
            onChange={() => tools.switch(server.tools, !isAll)}
          />
          <strong>{server.name}</strong>
        </label>
        <span class="tool-state">{stateOf(server)}</span>
        {page.rights.value.changeModels && server.state !== 'disabled' && (
          <button type="button" class="chip-button" onClick={() => void tools.restart(server.name)}>
            {t.restart}
          </button>
        )}
      </legend>
      {server.error !== undefined && <p class="failed">{server.error}</p>}
      {server.tools.map((tool) => (
        <label key={tool.name} class="tool-row" title={tool.description}>
          <input type="checkbox" checked={tools.isOn(tool)} onChange={() => tools.switch([tool], !tools.isOn(tool))} />
          <span>
            {tool.name}
            {tool.readOnly && <small> {t.readOnly}</small>}
          </span>
          {tool.description !== '' && <small class="tool-description">{tool.description}</small>}
        </label>
      ))}
    </fieldset>
  );
}

function stateOf({ state }: ToolServerFacts): string {
  const { states } = strings.value.tools;
  switch (state) {
    case 'ready':
    case 'starting':
    case 'idle':
    case 'failed':
    case 'disabled':
      return states[state];
    default:
      return state;
  }
}
