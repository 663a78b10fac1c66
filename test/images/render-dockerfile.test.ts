import { expect, test } from 'vitest';
import { renderDockerfile } from '../../images/render-dockerfile.ts';

test('renderDockerfile() puts what changes least first, and needs no network, shell or secret', () => {
  const text = renderDockerfile({ base: 'python@sha256:e', python: '3.11', labels: { 'dev.davit.version': '0.1.0' } });
  expect(text).toBe(`FROM python@sha256:e AS layers
COPY settle.py /
WORKDIR /layers/library
RUN ["python3.11","/settle.py","--library","/layers/library"]
COPY server/ /layers/server/
RUN ["python3.11","/settle.py","/layers/server"]
COPY virtualenv/ /layers/virtualenv/
RUN ["python3.11","/settle.py","/layers/virtualenv"]

FROM python@sha256:e
ENV HOME="/tmp"
ENV USER="davit"
ENV LANG="C.UTF-8"
ENV PYTHONDONTWRITEBYTECODE="1"
ENV NVIDIA_DRIVER_CAPABILITIES="compute,utility"
WORKDIR /tmp
COPY --from=layers /layers/library/ /
COPY --from=layers /layers/server/ /
COPY --from=layers /layers/virtualenv/ /
COPY model/ /
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/server/virtualenv/bin/python","-I","-B","-m","davit_server","--python","/virtualenv/bin/python","--model","/model","--host","0.0.0.0","--port","8080","--max-body","16777216"]
LABEL dev.davit.version="0.1.0"
`);
});

test('Debian packages are installed in a stage of their own, below everything else', () => {
  const inputs = { base: 'python@sha256:e', python: '3.11', labels: {} };
  const [plain, text] = [inputs, { ...inputs, systemPackages: ['libgl1', 'libgomp1'] }].map(renderDockerfile);
  const [first = '', run = '', , ...rest] = text!.split('\n');
  expect([first, run]).toEqual([
    'FROM python@sha256:e AS system',
    'RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o APT::Cmd::Pattern-Only=true libgl1 libgomp1 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log',
  ]);
  expect(rest.join('\n')).toBe(plain!.replaceAll('FROM python@sha256:e', 'FROM system'));
  expect(renderDockerfile({ ...inputs, systemPackages: [] })).toBe(plain);
});

test('what a label says cannot become anything else', () => {
  const labels = { title: 'a "quoted" $HOME \\ back\nRUN ["evil"]' };
  const text = renderDockerfile({ base: 'b', python: '3.11', labels });
  expect(text.split('\n').at(-2)).toBe('LABEL title="a \\"quoted\\" \\$HOME \\\\ back RUN [\\"evil\\"]"');
});
