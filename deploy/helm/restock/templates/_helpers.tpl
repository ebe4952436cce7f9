{{- define "restock.name" -}}
{{- printf "%s-%s" .root.Release.Name .name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "restock.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- define "restock.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: restock
app.kubernetes.io/component: {{ .image | default .name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{ include "restock.selector" . }}
{{- end -}}

{{- define "restock.image" -}}
{{- printf "%s/%s:%s" .root.Values.image.registry .image (.root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}

{{- define "restock.bootstrap" -}}
{{- if .Values.strimzi.enabled -}}
{{ .Release.Name }}-kafka-kafka-bootstrap:9093
{{- else -}}
{{ required "kafka.bootstrap: say where Kafka is (host:port), or set strimzi.enabled" .Values.kafka.bootstrap }}
{{- end -}}
{{- end -}}

{{- define "restock.protocol" -}}
{{ ternary "SASL_SSL" .Values.kafka.securityProtocol .Values.strimzi.enabled }}
{{- end -}}

{{- /* The Secret with the user's name and password. */ -}}
{{- define "restock.kafkaSecret" -}}
{{- if .Values.strimzi.enabled -}}
{{ .Release.Name }}-kafka-user
{{- else if hasPrefix "SASL" .Values.kafka.securityProtocol -}}
{{ required "kafka.existingSecret: SASL needs a Secret with username and password" .Values.kafka.existingSecret }}
{{- end -}}
{{- end -}}

{{- define "restock.kafkaCa" -}}
{{ ternary (printf "%s-kafka-cluster-ca-cert" .Release.Name) .Values.kafka.caSecret .Values.strimzi.enabled }}
{{- end -}}

{{- define "restock.postgresCa" -}}
{{- if and (hasPrefix "verify" .Values.postgres.sslMode) (not .Values.cloudnativepg.enabled) -}}
{{ required "postgres.caSecret: verify-ca and verify-full need a Secret with ca.crt" .Values.postgres.caSecret }}
{{- else -}}
{{ .Values.postgres.caSecret }}
{{- end -}}
{{- end -}}

{{- define "restock.databaseSecret" -}}
{{- if .root.Values.cloudnativepg.enabled -}}
{{ .root.Release.Name }}-{{ .service.image | default .name }}-db-app
{{- else -}}
{{ required (printf "services.%s.database.existingSecret: name a Secret that holds the database's URL" .name) .service.database.existingSecret }}
{{- end -}}
{{- end -}}

{{- define "restock.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "restock.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- /* How Kafka is reached: read by the services and by the job that creates topics. */ -}}
{{- define "restock.kafkaEnv" -}}
- { name: RESTOCK_KAFKA_BOOTSTRAP, value: {{ include "restock.bootstrap" . | quote }} }
- { name: RESTOCK_KAFKA_SECURITY_PROTOCOL, value: {{ include "restock.protocol" . | quote }} }
- { name: RESTOCK_KAFKA_REPLICATION_FACTOR, value: {{ .Values.kafka.replicationFactor | quote }} }
- { name: RESTOCK_KAFKA_MIN_INSYNC_REPLICAS, value: {{ .Values.kafka.minInsyncReplicas | quote }} }
{{- with include "restock.kafkaSecret" . }}
- { name: RESTOCK_KAFKA_SASL_MECHANISM, value: {{ ternary "SCRAM-SHA-512" $.Values.kafka.saslMechanism $.Values.strimzi.enabled | quote }} }
{{- if $.Values.strimzi.enabled }}
- { name: RESTOCK_KAFKA_SASL_USERNAME, value: {{ . | quote }} }
{{- else }}
- name: RESTOCK_KAFKA_SASL_USERNAME
  valueFrom: { secretKeyRef: { name: {{ . }}, key: username } }
{{- end }}
- name: RESTOCK_KAFKA_SASL_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ . }}, key: password } }
{{- end }}
{{- with include "restock.kafkaCa" . }}
- { name: RESTOCK_KAFKA_SSL_CA_FILE, value: /etc/restock/kafka/ca.crt }
{{- end }}
{{- end -}}

{{- define "restock.databaseEnv" -}}
- name: RESTOCK_DATABASE_URL
  valueFrom:
    secretKeyRef: { name: {{ include "restock.databaseSecret" . }}, key: {{ ternary "uri" .service.database.key .root.Values.cloudnativepg.enabled }} }
- { name: PGSSLMODE, value: {{ .root.Values.postgres.sslMode | quote }} }
{{- with include "restock.postgresCaOf" . }}
- { name: PGSSLROOTCERT, value: /etc/restock/postgres/ca.crt }
{{- end }}
{{- end -}}

{{- define "restock.postgresCaOf" -}}
{{- if .root.Values.cloudnativepg.enabled -}}
{{ .root.Release.Name }}-{{ .service.image | default .name }}-db-ca
{{- else -}}
{{ include "restock.postgresCa" .root }}
{{- end -}}
{{- end -}}

{{- define "restock.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- with include "restock.kafkaCa" .root }}
- { name: kafka-ca, mountPath: /etc/restock/kafka, readOnly: true }
{{- end }}
{{- if .service.database }}
{{- with include "restock.postgresCaOf" . }}
- { name: postgres-ca, mountPath: /etc/restock/postgres, readOnly: true }
{{- end }}
{{- end }}
{{- end -}}

{{- define "restock.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: 256Mi }
{{- with include "restock.kafkaCa" .root }}
- name: kafka-ca
  secret: { secretName: {{ . }}, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- if .service.database }}
{{- with include "restock.postgresCaOf" . }}
- name: postgres-ca
  secret: { secretName: {{ . }}, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- end }}
{{- end -}}

{{- /* What no schema can compare. */ -}}
{{- define "restock.check" -}}
{{- if gt (int .Values.kafka.minInsyncReplicas) (int .Values.kafka.replicationFactor) -}}
{{- fail "kafka.minInsyncReplicas is above kafka.replicationFactor: nothing could ever be written" -}}
{{- end -}}
{{- if and .Values.strimzi.enabled (gt (int .Values.kafka.replicationFactor) (int .Values.strimzi.replicas)) -}}
{{- fail "kafka.replicationFactor is above strimzi.replicas: topics could not be created" -}}
{{- end -}}
{{- if and .Values.strimzi.enabled .Values.kafka.bootstrap -}}
{{- fail "kafka.bootstrap and strimzi.enabled: choose one" -}}
{{- end -}}
{{- end -}}
